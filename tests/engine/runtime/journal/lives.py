"""Random lives of a journal, each ended by a loss of power; what was promised must outlive all of them."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.runtime.journal.disk import Disk
from engine.runtime.journal.journal import JournalError
from tests.engine.runtime.journal.power import Files, KilledError, RecordingDisk, after_loss, heard_in, make
from tests.engine.runtime.journal.written import SLOTS, Journal, read

LIVES_MAX = 4
STEPS_MAX = 14
KILL_WITHIN = 12
START_TRIES = 20

NewDisk = Callable[[Path, Files, random.Random], RecordingDisk]


class History:
    """What was ever handed to the writers, and what of it may not be lost."""

    def __init__(self, seed: int, new_disk: NewDisk = RecordingDisk) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.new_disk = new_disk
        self.certain: list[int] = []
        """Marks of the commands that were found, or promised, at the last loss."""
        self.losses = 0
        self.rescued = 0
        """Commands that were never promised and came through all the same."""
        self._issued = 0
        self._given: dict[int, set[int]] = {}

    def run(self) -> str:
        """Live several times; return what was lost, nothing if all is well."""
        files: Files = {}
        with tempfile.TemporaryDirectory() as made:
            for life in range(self.rng.randint(1, LIVES_MAX) + 1):
                folder = Path(made) / str(life) / "journal"
                make(folder, files)
                wrong = self._judge(folder)
                if wrong:
                    return f"seed {self.seed}, life {life}: {wrong}"
                disk = self.new_disk(folder, files, self.rng)
                promised = self._live(Journal(folder, disk, self.rng.choice((5, SLOTS, 3 * SLOTS))))
                end = self.rng.randint(disk.first, len(disk.log))
                self.certain = promised[: max(heard_in(disk.log[:end]), 0)] or self.certain
                files = after_loss(disk.log[:end], self.rng)
                self.losses += 1
        return ""

    def _judge(self, folder: Path) -> str:
        """Compare what a start would find with what may not be lost."""
        try:
            marks, _ = read(folder)
        except JournalError as error:
            return f"refused: {error}"
        kept = marks[: len(self.certain)]
        if kept != self.certain:
            return f"lost: {len(self.certain)} commands were promised, {len(marks)} are there"
        for seq, mark in enumerate(marks[len(kept) :], len(kept) + 1):
            if mark not in self._given[seq]:
                return f"made up: nobody gave mark {mark} at seq {seq}"
        self.rescued += len(marks) - len(kept)
        self.certain = marks
        return ""

    def _live(self, journal: Journal) -> list[int]:
        """Do random things; return the marks of everything promised, in order."""
        disk = journal.disk
        assert isinstance(disk, RecordingDisk)
        promised = list(self.certain)
        self._begin(journal, disk, promised)
        for _ in range(self.rng.randint(0, STEPS_MAX)):
            if self.rng.random() < 0.15:
                disk.kill_in = self.rng.randint(0, KILL_WITHIN)
            try:
                self._step(journal, disk, promised)
            except KilledError:
                # Only the journaler died, or everything: the ring is there, or it is not.
                if self.rng.random() < 0.5:
                    self._begin(journal, disk, promised)
                else:
                    self._restart(journal)
        disk.kill_in = -1
        journal.close()
        return promised

    def _step(self, journal: Journal, disk: RecordingDisk, promised: list[int]) -> None:
        what = self.rng.choices(("write", "rotate", "cold", "warm"), (12, 2, 1, 1))[0]
        if what == "write":
            self._write(journal, disk, promised)
        elif what == "rotate":
            journal.rotate()
        elif what == "cold":
            self._begin(journal, disk, promised)
        else:
            self._restart(journal)

    def _write(self, journal: Journal, disk: RecordingDisk, promised: list[int]) -> None:
        coming = self.rng.randint(1, journal.slot_count - 2)
        for seq in range(journal.durable + len(journal.ring) + 1, journal.durable + coming + 1):
            self._issued += 1
            journal.put(self._issued)
            self._given.setdefault(seq, set()).add(self._issued)
        count = self.rng.randint(1, min(len(journal.ring), journal.slot_count - 2))
        marks = journal.ring[:count]
        journal.write(count, wrap=self.rng.randint(0, count))
        promised += marks
        disk.heard(journal.durable)

    def _begin(self, journal: Journal, disk: RecordingDisk, promised: list[int]) -> None:
        """Start on the folder as the kernel has it, again and again if the start is killed."""
        for _ in range(START_TRIES):
            try:
                journal.start()
                break
            except KilledError:
                continue
        marks, _ = read(journal.folder)
        assert marks[: len(promised)] == promised
        promised[:] = marks
        disk.heard(journal.durable)

    def _restart(self, journal: Journal) -> None:
        for _ in range(START_TRIES):
            try:
                journal.restart()
                break
            except KilledError:
                continue


class LyingData(RecordingDisk):
    """Its fdatasync does nothing."""

    def sync_data(self, file: int) -> None:
        self._turn()


class LyingFiles(RecordingDisk):
    """Its fsync of files does nothing."""

    def sync(self, file: int) -> None:
        self._turn()


class LyingFolder(RecordingDisk):
    """Its fsync of the journal's folder does nothing."""

    def sync_folder(self, folder: Path) -> None:
        if folder != self.folder:
            super().sync_folder(folder)


class LyingParent(RecordingDisk):
    """Its fsync of the folder above does nothing."""

    def sync_folder(self, folder: Path) -> None:
        if folder == self.folder:
            super().sync_folder(folder)


LIES: tuple[type[Disk], ...] = (LyingData, LyingFiles, LyingFolder, LyingParent)
