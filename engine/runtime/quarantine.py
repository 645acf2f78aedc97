"""Commands that must not be applied again: DATA/journal/quarantine, a seq a line.

A command that killed the worker twice stays in the journal, for what was journaled is the
truth; every replay of it, from now on and everywhere, applies a rejection in its place.
"""

from pathlib import Path

from engine.runtime import journal
from engine.runtime.disk import Disk

FILE = "quarantine"


def quarantined(data_dir: Path) -> tuple[int, ...]:
    """Return the quarantined seqs, in order."""
    try:
        text = (data_dir / journal.FOLDER / FILE).read_text()
    except FileNotFoundError:
        return ()
    try:
        return tuple(sorted({int(line) for line in text.split()}))
    except ValueError as error:
        raise journal.JournalError(f"{data_dir / journal.FOLDER / FILE}: {error}; one seq a line") from error


def quarantine(data_dir: Path, seq: int, disk: Disk) -> None:
    """Add a seq; on the disk when this returns."""
    folder = data_dir / journal.FOLDER
    seqs = sorted({*quarantined(data_dir), seq})
    draft = folder / f"{FILE}.tmp"
    file = disk.create(draft)
    try:
        disk.write(file, "".join(f"{each}\n" for each in seqs).encode(), 0)
        disk.sync(file)
    finally:
        disk.close(file)
    disk.rename(draft, folder / FILE)
    disk.sync_folder(folder)
