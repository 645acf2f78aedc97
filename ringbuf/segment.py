"""Named shared memory with a header that says what it is: create, attach, verify, reclaim, refuse.

    /dev/shm/NAME     byte 0      HEADER    magic, layout, kind, record hash and size, capacity,
                                            epoch, owner (pid and its start time)
                      byte 1024   CONTROL   cursors (layout.py)
                      byte 4096   DATA      capacity records of one dtype

A segment appears under its name only when its header is whole: it is built under a name of
its creator's own (NAME.PID.START) and linked to NAME in one step. The process that created
it owns it: while that process lives nobody else gets the name; when it died the next
create takes the leftover's place. An attached process never unlinks anything.

Nothing here is left to Python's resource tracker: before 3.13 it also registers a mere
attach and then unlinks the living segment when that process ends (cpython issue 82300).
The mapping stays valid as long as an array over it lives, closed or not. Where it is large the
kernel is asked for huge pages (huge_pages.py).
"""

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker, shared_memory
from typing import Any

import numpy as np
import numpy.typing as npt

from ringbuf.atomics import Words
from ringbuf.huge_pages import Bytes, mapped
from ringbuf.layout import (
    CONTROL_OFFSET_BYTES,
    CONTROL_WORDS,
    DATA_OFFSET_BYTES,
)
from ringbuf.segment_header import (
    SHM,
    Header,
    Kind,
    SegmentError,
    SegmentForeignError,
    SegmentInUseError,
    SegmentMismatchError,
    SegmentMissingError,
    SegmentSpaceError,
    SegmentStaleError,
    process_start,
    read_header,
    record_hash,
    verify,
    write_header,
)
from ringbuf.segment_space import free_bytes, no_room, require_memory, require_room

__all__ = [
    "Header",
    "Kind",
    "Segment",
    "SegmentError",
    "SegmentForeignError",
    "SegmentInUseError",
    "SegmentMismatchError",
    "SegmentMissingError",
    "SegmentSpaceError",
    "SegmentStaleError",
    "attach",
    "create",
    "inspect",
    "process_start",
    "reclaim",
    "reclaim_dead",
]

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
RECLAIM_ATTEMPTS = 8


class Segment:
    """One mapped segment.

    name, header, readonly
    mapping : uint8[header.segment_bytes], all of it
    control : int64[CONTROL_WORDS]
    slots : dtype[capacity]; a ring's slots, or the records
    """

    def __init__(self, name: str, dtype: np.dtype[Any], mapping: Bytes, header: Header, inode: int) -> None:
        self.name = name
        self.header = header
        self.mapping = mapping
        self._inode = inode
        self.control: Words = np.ndarray((CONTROL_WORDS,), np.int64, mapping, CONTROL_OFFSET_BYTES)
        self.slots: npt.NDArray[Any] = np.ndarray((header.capacity,), dtype, mapping, DATA_OFFSET_BYTES)

    @property
    def readonly(self) -> bool:
        """Whether a write through this mapping is impossible."""
        return not self.control.flags.writeable

    def unlink(self) -> None:
        """Remove the name, if it is still this segment's; mappings of it stay valid."""
        with suppress(FileNotFoundError):
            if os.stat(SHM / self.name).st_ino == self._inode:
                os.unlink(SHM / self.name)

    def __enter__(self) -> "Segment":
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the name when the creator leaves its block; an attached process changes nothing."""
        if self.header.owner_pid == os.getpid():
            self.unlink()


def create(
    name: str,
    kind: Kind,
    dtype: npt.DTypeLike,
    capacity: int,
    *,
    epoch: int = 1,
    reserve: bool = False,
    initial: npt.NDArray[Any] | None = None,
) -> Segment:
    """Create a segment of `capacity` records, mode 0600, in place of a dead instance's leftover.

    The records are zero, or `initial` (dtype[capacity]), before anybody can attach. With
    `reserve` the memory is taken and mapped at once, so that no page fault happens later and
    a full /dev/shm is told now; without, untouched pages cost nothing. Raises
    SegmentInUseError, SegmentForeignError or SegmentSpaceError, the last also without any /dev/shm.
    """
    _check_name(name)
    dtype = np.dtype(dtype)
    if capacity < 1:
        raise ValueError(f"a segment holds at least one record, not {capacity}")
    if kind in (Kind.SPSC, Kind.BROADCAST) and capacity & (capacity - 1):
        raise ValueError(f"the capacity of a ring is a power of two, not {capacity}")
    segment_bytes = DATA_OFFSET_BYTES + capacity * dtype.itemsize
    start = process_start(os.getpid())
    assert start is not None
    header = Header(
        kind, record_hash(dtype), dtype.itemsize, capacity, segment_bytes, epoch, os.getpid(), start
    )
    require_memory(SHM)
    _sweep_unfinished(name)
    with _built(f"{name}.{os.getpid()}.{start}", header, reserve=reserve) as (draft, file):
        mapping = mapped(file, segment_bytes, readonly=False, populate=reserve)
        segment = Segment(name, dtype, mapping, header, os.fstat(file).st_ino)
        if initial is not None:
            segment.slots[:] = initial
        _take_name(draft, name)
        return segment


def attach(
    name: str,
    kind: Kind,
    dtype: npt.DTypeLike,
    *,
    capacity: int | None = None,
    epoch: int | None = None,
    readonly: bool = False,
    populate: bool = False,
    dead_owner: bool = False,
) -> Segment:
    """Map an existing segment after verifying that it is what the caller expects.

    `readonly` maps it so that the processor refuses writes. `populate` maps all its pages at
    once: no page fault (5 us) on the first round of a ring. `dead_owner` also accepts what a
    dead instance left behind (inspection). Raises the SegmentError that fits.
    """
    _check_name(name)
    dtype = np.dtype(dtype)
    with _opened(name, readonly=readonly) as file:
        header = read_header(name, file)
        verify(name, header, kind, dtype, capacity)
        if epoch is not None and header.epoch != epoch:
            raise SegmentStaleError(
                f"segment {name!r} is of epoch {header.epoch}, epoch {epoch} was expected: "
                f"it belongs to another start of the instance"
            )
        if not dead_owner and not header.is_owner_alive:
            raise SegmentStaleError(
                f"segment {name!r} was left behind by process {header.owner_pid}, which is gone: "
                f"start the instance again, it takes the leftover's place"
            )
        mapping = mapped(file, header.segment_bytes, readonly=readonly, populate=populate)
        return Segment(name, dtype, mapping, header, os.fstat(file).st_ino)


def inspect(name: str) -> Header:
    """Return the header of a segment without mapping it."""
    _check_name(name)
    with _opened(name, readonly=True) as file:
        return read_header(name, file)


def reclaim(name: str) -> bool:
    """Remove the leftover of a dead instance; False if there is no such name.

    Raises SegmentInUseError for a living instance's and SegmentForeignError for what is not ours.
    """
    _check_name(name)
    _sweep_unfinished(name)
    try:
        with _opened(name, readonly=True) as file:
            return _reclaim_opened(name, file)
    except SegmentMissingError:
        return False


def reclaim_dead(prefix: str) -> list[str]:
    """Remove what dead instances left under names that begin with `prefix`; return those names.

    Living instances' segments and files that are not ours stay.
    """
    _check_name(prefix)
    reclaimed = []
    for name in sorted(os.listdir(SHM)):
        if name.startswith(prefix) and NAME_PATTERN.fullmatch(name):
            with suppress(SegmentInUseError, SegmentForeignError):
                if reclaim(name):
                    reclaimed.append(name)
    return reclaimed


def _reclaim_opened(name: str, file: int) -> bool:
    """Remove the leftover under an exclusive lock, so that two reclaimers cannot remove a successor's."""
    header = read_header(name, file, leftover=True)
    if header.is_owner_alive:
        raise SegmentInUseError(
            f"segment {name!r} belongs to process {header.owner_pid}, which is running: "
            f"stop that instance first, or give this one another name"
        )
    fcntl.flock(file, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        if os.stat(SHM / name).st_ino == os.fstat(file).st_ino:
            os.unlink(SHM / name)
    return True


def _take_name(draft: str, name: str) -> None:
    """Give the finished segment its name, in place of a dead instance's."""
    for _ in range(RECLAIM_ATTEMPTS):
        try:
            os.link(SHM / draft, SHM / name)
            return
        except FileExistsError:
            reclaim(name)
    raise SegmentInUseError(f"segment {name!r} is being created by another process at the same time")


@contextmanager
def _built(draft: str, header: Header, *, reserve: bool) -> Iterator[tuple[str, int]]:
    """Make the segment under its creator's own name, yield that name and a file; remove the name after."""
    if header.segment_bytes > free_bytes():
        raise no_room(draft, header.segment_bytes)
    with suppress(FileNotFoundError):
        os.unlink(SHM / draft)  # an earlier attempt of this very process
    memory = shared_memory.SharedMemory(draft, create=True, size=header.segment_bytes)
    resource_tracker.unregister(f"/{draft}", "shared_memory")
    try:
        memory.close()
        require_room(draft, header.segment_bytes)
        file = os.open(SHM / draft, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.fchmod(file, 0o600)
            if reserve:
                _reserve(draft, file, header.segment_bytes)
            write_header(file, header)
            yield draft, file
        finally:
            os.close(file)
    finally:
        os.unlink(SHM / draft)


def _reserve(name: str, file: int, segment_bytes: int) -> None:
    """Take the segment's memory now."""
    try:
        os.posix_fallocate(file, 0, segment_bytes)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise no_room(name, segment_bytes) from error


@contextmanager
def _opened(name: str, *, readonly: bool) -> Iterator[int]:
    """Yield a descriptor of the segment's file."""
    flags = (os.O_RDONLY if readonly else os.O_RDWR) | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        file = os.open(SHM / name, flags)
    except FileNotFoundError as error:
        raise SegmentMissingError(
            f"there is no segment {name!r} in /dev/shm: is the instance running?"
        ) from error
    except PermissionError as error:
        raise SegmentForeignError(
            f"/dev/shm/{name} belongs to another user and cannot be opened: choose another name"
        ) from error
    try:
        yield file
    finally:
        os.close(file)


def _sweep_unfinished(name: str) -> None:
    """Remove drafts of this name whose creators died while building them."""
    draft = re.compile(re.escape(name) + r"\.(\d+)\.(\d+)")
    for entry in os.listdir(SHM):
        match = draft.fullmatch(entry)
        if match and process_start(int(match[1])) != int(match[2]):
            with suppress(FileNotFoundError):
                os.unlink(SHM / entry)


def _check_name(name: str) -> None:
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(f"segment name {name!r}: letters, digits, '-' and '_', at most 200")
