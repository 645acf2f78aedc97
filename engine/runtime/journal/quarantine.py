"""Commands that must not be applied again: DATA/journal/quarantine, a seq a line.

A command that killed the worker twice stays in the journal, for what was journaled is the
truth; every replay of it, from now on and everywhere, applies a rejection in its place. No digest
covers this file: it is for people to read and, if need be, to correct.
"""

import re
from pathlib import Path

from engine.runtime.journal import journal
from engine.runtime.journal.disk import Disk

FILE = "quarantine"
SEQ = re.compile("0{0,18}[1-9][0-9]{0,17}")


def quarantined(data_dir: Path) -> tuple[int, ...]:
    """Return the quarantined seqs, in order; JournalError where the file holds anything else."""
    path = data_dir / journal.FOLDER / FILE
    try:
        lines = path.read_bytes().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ()
    for number, line in enumerate(lines, 1):
        if line.strip() and not SEQ.fullmatch(line.strip()):
            raise journal.JournalError(
                f"{path}: line {number}: {line[:40]!r} is no seq, the file holds one seq a line; correct "
                f"that line, or bring the file back from a backup"
            )
    return tuple(sorted({int(line) for line in lines if line.strip()}))


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
