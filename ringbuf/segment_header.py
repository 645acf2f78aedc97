"""Segment headers: magic, layout, kind, records, epoch, owner; and the errors that they can cause.

The header lies at byte 0 of every segment (segment.py) and never changes once the segment
has its name. The owner's pid comes with its start time, so that a pid that was given to
another process is not taken for the owner.
"""

import hashlib
import os
from dataclasses import astuple, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringbuf.layout import HEADER_BYTES, LAYOUT_VERSION

SHM = Path("/dev/shm")
MAGIC = int.from_bytes(b"RINGBUF\x01", "little")

HEADER = np.dtype(
    [
        ("magic", "<i8"),
        ("layout_version", "<i8"),
        ("kind", "<i8"),
        ("record_hash", "<i8"),
        ("record_bytes", "<i8"),
        ("capacity", "<i8"),
        ("segment_bytes", "<i8"),
        ("epoch", "<i8"),
        ("owner_pid", "<i8"),
        ("owner_start", "<i8"),  # clock ticks after boot: tells a reused pid from the owner
    ]
)
assert HEADER.itemsize <= HEADER_BYTES


class Kind(IntEnum):
    """What a segment holds."""

    SPSC = 1
    BROADCAST = 2
    STATE = 3  # records without cursors
    COUNTERS = 4


class SegmentError(Exception):
    """A segment cannot be had; the text names it, what was found and the mend."""


class SegmentMissingError(SegmentError):
    """There is no segment of this name."""


class SegmentForeignError(SegmentError):
    """Something else than a segment of ours has this name."""


class SegmentMismatchError(SegmentError):
    """A segment of ours, but of another kind, record layout, capacity or version."""


class SegmentStaleError(SegmentError):
    """A segment of another epoch, or left behind by an instance that died."""


class SegmentInUseError(SegmentError):
    """The name belongs to an instance that is alive."""


class SegmentSpaceError(SegmentError):
    """/dev/shm has not enough room."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself."""

    kind: int
    record_hash: int
    record_bytes: int
    capacity: int
    segment_bytes: int
    epoch: int
    owner_pid: int
    owner_start: int

    @property
    def is_owner_alive(self) -> bool:
        """Whether the process that created the segment still runs."""
        return process_start(self.owner_pid) == self.owner_start


def process_start(pid: int) -> int | None:
    """Return the start time of a running process in clock ticks after boot, None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])


def record_hash(dtype: npt.DTypeLike) -> int:
    """Return a hash of names, formats, offsets and sizes of a record layout, as a positive int64."""
    digest = hashlib.blake2b(_described(np.dtype(dtype)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _described(dtype: np.dtype[Any]) -> str:
    """Return a text that differs when the layout differs."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return f"{shape}{_described(base)}"
    if dtype.fields is None or dtype.names is None:
        return dtype.str
    parts = (f"{name}@{dtype.fields[name][1]}:{_described(dtype.fields[name][0])}" for name in dtype.names)
    return f"{dtype.itemsize}{{{','.join(parts)}}}"


def write_header(file: int, header: Header) -> None:
    """Write the header at byte 0."""
    os.pwrite(file, np.array([(MAGIC, LAYOUT_VERSION, *astuple(header))], HEADER).tobytes(), 0)


def read_header(name: str, file: int, *, leftover: bool = False) -> Header:
    """Return the header, or raise the error that says why this is no segment of ours.

    A `leftover` may be truncated or of another layout version: where the owner stands in the
    header is the same in every version.
    """
    size = os.fstat(file).st_size
    raw = os.pread(file, HEADER.itemsize, 0)
    if len(raw) < HEADER.itemsize:
        raise SegmentForeignError(
            f"/dev/shm/{name} has {size} bytes, too few for a segment: it is not ours; "
            f"remove it if nobody uses it, or choose another name"
        )
    magic, layout_version, *values = np.frombuffer(raw, HEADER)[0].tolist()
    if magic != MAGIC:
        raise SegmentForeignError(
            f"/dev/shm/{name} does not begin with our magic: it is not ours; "
            f"remove it if nobody uses it, or choose another name"
        )
    header = Header(*values)
    if leftover:
        return header
    if layout_version != LAYOUT_VERSION:
        raise SegmentMismatchError(
            f"segment {name!r} has layout version {layout_version}, this program {LAYOUT_VERSION}: "
            f"stop the other version's instance and remove /dev/shm/{name}"
        )
    if size < header.segment_bytes:
        raise SegmentForeignError(
            f"segment {name!r} is truncated: {size} of {header.segment_bytes} bytes; "
            f"remove /dev/shm/{name} and start again"
        )
    return header


def verify(name: str, header: Header, kind: Kind, dtype: np.dtype[Any], capacity: int | None) -> None:
    """Raise SegmentMismatchError unless the segment holds what the caller expects."""
    found: dict[str, tuple[object, object]] = {
        "kind": (header.kind, int(kind)),
        "record size": (header.record_bytes, dtype.itemsize),
        "record layout": (header.record_hash, record_hash(dtype)),
        "capacity": (header.capacity, header.capacity if capacity is None else capacity),
    }
    for what, (has, expected) in found.items():
        if has != expected:
            raise SegmentMismatchError(
                f"segment {name!r} has {what} {has}, this program expects {expected}: "
                f"both sides must run the same version and configuration"
            )
