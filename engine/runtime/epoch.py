"""The number of each start on a data folder: everything of an earlier one is recognised by it."""

import os
from pathlib import Path

from engine.runtime import journal
from engine.runtime.endings import StartError

EPOCH_FILE = "epoch"


def next_epoch(data_dir: Path) -> int:
    """Return the number of this start, one more than the last, on disk before it is used.

    Raises StartError.
    """
    path = data_dir / EPOCH_FILE
    try:
        epoch = int(path.read_text()) + 1
    except FileNotFoundError:
        epoch = _last_in_journal(data_dir) + 1
    except ValueError as error:
        raise StartError(f"{path} holds no number; remove it and start again") from error
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(str(epoch))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return epoch


def _last_in_journal(data_dir: Path) -> int:
    """Return the number of the last start that wrote to the journal, 0 where there is none."""
    try:
        return journal.last_epoch(data_dir / journal.FOLDER)
    except journal.JournalError as error:
        raise StartError(str(error)) from error
