"""The next segment of the journal, made ready while the present one is written.

    made      a file under a temporary name; its room is taken from the disk at once
    grow      asks for zeros up to some byte; a thread writes them, nobody waits
    finish    the rest; the file is whole, and on the disk once its user has synced it

A group commit into zeros that are on the disk writes data and no metadata. But the zeros are as many
bytes as the journal itself, and whoever syncs beside them waits for them: so they are spread evenly
over the time that the present segment lasts. The room is reserved first: a disk without it shows
when there is a whole segment left to act in. A thread, for handing pages to the disk may wait
milliseconds for the file system.
"""

import threading
from pathlib import Path
from queue import Queue

from engine.runtime.journal.disk import Disk

PIECE_BYTES = 2**17
"""Written at a time: a group commit behind it waits about 0.1 ms longer."""


class SpareSegment:
    """A file of `size_bytes` that is not in use yet; an OSError of any method means that the file is gone."""

    def __init__(self, disk: Disk, path: Path, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._disk = disk
        self._zeros = memoryview(bytes(PIECE_BYTES))
        self._asked_bytes = 0
        self._done_bytes = 0
        self._error: Exception | None = None
        self._asked: Queue[int] = Queue()  # as many as the file has pieces at most
        self._thread: threading.Thread | None = None
        self._file = disk.create(path)
        try:
            disk.reserve(self._file, size_bytes)
        except OSError:
            self._give_up()
            raise

    def grow(self, upto_bytes: int) -> None:
        """Have the zeros brought up to about this byte; less than a piece is left for later."""
        if self._error is not None:
            self._give_up()
            raise self._error
        pieces = min(upto_bytes, self.size_bytes) // PIECE_BYTES
        if pieces * PIECE_BYTES <= self._asked_bytes:
            return
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="spare segment", daemon=True)
            thread.start()
            self._thread = thread
        self._asked_bytes = pieces * PIECE_BYTES
        self._asked.put(self._asked_bytes)

    def await_grown(self) -> None:
        """Return once all the zeros that were asked for are written, or refused."""
        self._asked.join()

    def finish(self) -> None:
        """Write what is left and let the file go, unsynced."""
        self.await_grown()
        try:
            # Also what was refused before: it may succeed now, or else it raises here.
            self._write(self.size_bytes)
            self.close()
        except OSError:
            self._give_up()
            raise

    def close(self) -> None:
        """Let the file go, as far as it has come."""
        if self._thread is not None:
            self._asked.put(0)
            self._thread.join()
            self._thread = None
        if self._file >= 0:
            file, self._file = self._file, -1  # gone even where closing reports an error
            self._disk.close(file)

    def _run(self) -> None:
        while upto := self._asked.get():
            try:
                if self._error is None:
                    self._write(upto)
            except Exception as error:  # whoever asked next is told, whatever it is
                self._error = error
            finally:
                self._asked.task_done()
        self._asked.task_done()

    def _write(self, upto: int) -> None:
        while self._done_bytes < upto:
            length = min(PIECE_BYTES, upto - self._done_bytes)
            self._disk.write(self._file, self._zeros[:length], self._done_bytes)
            self._disk.begin_writing(self._file, self._done_bytes, length)
            self._done_bytes += length

    def _give_up(self) -> None:
        try:
            self.close()
        finally:
            self._disk.remove(self.path)  # half a file holds room that others need
