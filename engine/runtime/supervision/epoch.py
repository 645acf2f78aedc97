"""The epoch: the number of a start on a data folder, by which what earlier ones left is recognised."""

import os
import re
from pathlib import Path

from engine.runtime.journal import journal
from engine.runtime.supervision.endings import StartError
from ringbuf.whole_files import write_atomically

EPOCH_FILE = "epoch"
NUMBER = re.compile(rb"[0-9]{1,18}\n?")


def next_epoch(data_dir: Path) -> int:
    """Return the number of this start, one more than the last, on disk before it is used.

    Raises StartError.
    """
    path = data_dir / EPOCH_FILE
    # A file that was brought back from a backup may be behind the journal.
    epoch = max(_last_in_file(path), _last_in_journal(data_dir)) + 1
    write_atomically(path, str(epoch).encode(), sync=True)
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return epoch


def _last_in_file(path: Path) -> int:
    """Return the number of the last start, 0 where no file tells."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StartError(f"{path} cannot be read ({error.strerror}); remove it and start again") from error
    if not NUMBER.fullmatch(content):
        raise StartError(f"{path} holds no number; remove it and start again")
    return int(content)


def _last_in_journal(data_dir: Path) -> int:
    """Return the number of the last start that wrote to the journal, 0 where there is none."""
    try:
        return journal.last_epoch(data_dir / journal.FOLDER)
    except journal.JournalError as error:
        raise StartError(str(error)) from error
