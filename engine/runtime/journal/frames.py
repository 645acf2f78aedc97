"""What a journal segment is made of: an .npy file of records, read by `np.load(file, mmap_mode="r")`.

    slot 0          SEGMENT_HEAD   which segment, of which journal, hung to which frame
    slot 1          FRAME_HEAD     one group commit: `count` commands, hash, chain
    slot 2 ...      entries        the commands, dense in `seq`
    ...             FRAME_HEAD, entries, ...
    the rest        zero

An entry is a command as the application's journal keeps it: 160 bytes at least. All three are one
slot long, a head with zeros behind it, and begin with an int64: the `seq` of a command, counted from 1,
FRAME_MARK or SEGMENT_MARK (negative), or 0 where nothing was written yet. So the commands of a segment
are `a = np.load(file, mmap_mode="r"); a[a["seq"] > 0]`.

The digest of a frame is BLAKE3 over the digest of the frame before, its own head and its
commands: it finds damage as a CRC would and chains all frames, so that no command can be
changed, dropped or inserted without changing every digest after it.
"""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import blake3
import numpy as np
import numpy.typing as npt

from engine.contract.application import JournalOwner
from ringbuf.segment_header import record_hash

FORMAT_VERSION = 1
FRAME_MARK = -1
SEGMENT_MARK = -2
MAGIC = int.from_bytes(b"PINIONJ1", "little")
NPY_HEAD_BYTES = 4096
"""Bytes ahead of the first record: numpy's own header, padded to a page."""
NPY_BEGIN_BYTES = 10
"""Of a header its magic, its version and its length."""
DIGEST_BYTES = 32
NO_DIGEST = bytes(DIGEST_BYTES)
"""What the first frame of a journal is chained to."""

FRAME_HEAD = np.dtype(
    [
        ("mark", "<i8"),  # FRAME_MARK
        ("magic", "<i8"),
        ("epoch", "<i8"),  # start of the instance that took the commands: their rings are its rings
        ("first_seq", "<i8"),
        ("count", "<i8"),  # commands that follow
        ("durable_upto", "<i8"),  # D when the frame was written
        ("written_at", "<i8"),  # wall clock, ns since 1970: for people
        ("previous", "u1", (DIGEST_BYTES,)),  # digest of the frame that ends at first_seq - 1
        ("digest", "u1", (DIGEST_BYTES,)),  # over everything else of the frame
        ("reserved", "<i8", (5,)),
    ]
)
SEGMENT_HEAD = np.dtype(
    [
        ("mark", "<i8"),  # SEGMENT_MARK
        ("magic", "<i8"),
        ("version", "<i8"),  # FORMAT_VERSION
        ("layout", "<i8"),  # hash of the records' fields
        ("identity", "<i8"),  # the application and its capacities, see `identity_of`
        ("epoch", "<i8"),
        ("number", "<i8"),  # of the segment, from 1
        ("first_seq", "<i8"),  # the commands from here on are this segment's, not an older one's
        ("created_at", "<i8"),  # wall clock, ns since 1970
        ("anchor", "u1", (DIGEST_BYTES,)),  # digest of the frame that ends at first_seq - 1
        ("digest", "u1", (DIGEST_BYTES,)),  # over everything else of the head
        ("reserved", "<i8", (3,)),
    ]
)
HEAD_BYTES = 160
assert FRAME_HEAD.itemsize == SEGMENT_HEAD.itemsize == HEAD_BYTES
DESCRIPTION = re.compile(rb"\x93NUMPY\x01\x00..\{'descr': (\[.*\]), 'fortran_order'", re.DOTALL)
_HEAD = struct.Struct("<7q32s32s")
_SEQ = struct.Struct("<q")

assert FRAME_HEAD.fields is not None
assert SEGMENT_HEAD.fields is not None
_FRAME_DIGEST_AT: int = FRAME_HEAD.fields["digest"][1]
_SEGMENT_DIGEST_AT: int = SEGMENT_HEAD.fields["digest"][1]

Records = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two frames."""

    seq: int  # of the last command before it
    digest: bytes  # of the frame that ends there


class Frame(NamedTuple):
    """A valid frame of a segment."""

    records: Records  # of the whole segment
    slot: int  # of its head
    epoch: int
    first_seq: int
    command_count: int
    durable_upto: int
    previous: bytes
    digest: bytes

    @property
    def last_seq(self) -> int:
        """The seq of its last command."""
        return self.first_seq + self.command_count - 1

    @property
    def end(self) -> Position:
        """The place behind it."""
        return Position(self.last_seq, self.digest)

    @property
    def end_slot(self) -> int:
        """The slot after its last command."""
        return self.slot + 1 + self.command_count

    @property
    def entries(self) -> Records:
        """Its commands, a view."""
        return self.records[self.slot + 1 : self.end_slot]

    @property
    def content(self) -> memoryview:
        """Head and commands as they are in the file."""
        return self.records[self.slot : self.end_slot].data.cast("B")


class SegmentHead(NamedTuple):
    """The verified head of a segment."""

    layout: int
    identity: int
    epoch: int
    number: int
    first_seq: int
    created_at: int
    anchor: bytes

    @property
    def begin(self) -> Position:
        """The place before its first command."""
        return Position(self.first_seq - 1, self.anchor)


def npy_head(count: int, dtype: np.dtype[Any], head_bytes: int = NPY_HEAD_BYTES) -> bytes:
    """Return numpy's header of a dtype[count] file, padded to head_bytes, or to a multiple of it.

    Its text is made here: a reader compares it byte for byte, whatever version of numpy it has.
    """
    text = f"{{'descr': {_descr(dtype)}, 'fortran_order': False, 'shape': ({count},), }}".encode()
    pieces = 1 + (NPY_BEGIN_BYTES + len(text)) // head_bytes
    length = pieces * head_bytes - NPY_BEGIN_BYTES
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1) + b"\n"


@cache
def record_of(npy: bytes) -> np.dtype[Any] | None:
    """Return the record that numpy's header of a file describes; None where it describes none."""
    found = DESCRIPTION.match(npy)
    try:
        dtype = np.dtype(ast.literal_eval(found[1].decode())) if found else None
    except (ValueError, TypeError, SyntaxError):
        return None
    is_record = dtype is not None and dtype.names is not None and dtype.names[0] == "seq"
    return dtype if dtype is not None and is_record and dtype.itemsize >= HEAD_BYTES else None


def first_difference(found: bytes, expected: bytes) -> int:
    """Return the first place where two texts differ."""
    pairs = zip(found, expected, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(found), len(expected)))


def seq_at(frame: memoryview, at: int) -> int:
    """Return the int64 at a byte of a frame: where a slot begins, a command's seq."""
    found: int = _SEQ.unpack_from(frame, at)[0]
    return found


def seal(
    frame: memoryview, slot_bytes: int, *, epoch: int, durable_upto: int, written_at: int, previous: bytes
) -> bytes:
    """Write the head of a frame and return its digest.

    frame : bytes of the head, zeros or an earlier head, and of the commands behind it
    """
    count = len(frame) // slot_bytes - 1
    first_seq = seq_at(frame, slot_bytes)
    # struct, not fields of a record: one store instead of nine conversions.
    _HEAD.pack_into(
        frame,
        0,
        FRAME_MARK,
        MAGIC,
        epoch,
        first_seq,
        count,
        durable_upto,
        written_at,
        previous,
        NO_DIGEST,
    )
    digest = _digest_around(frame, _FRAME_DIGEST_AT)
    frame[_FRAME_DIGEST_AT : _FRAME_DIGEST_AT + DIGEST_BYTES] = digest
    return digest


def frame_at(records: Records, slot: int) -> Frame | None:
    """Return the frame whose head is in `slot`, verified by its own digest; None when there is none."""
    if slot + 1 >= len(records):
        return None
    head = records[slot : slot + 1].data.cast("B")
    # struct, not fields of the record: a journal of small frames has millions of heads.
    mark, magic, epoch, first_seq, count, durable_upto, _, previous, digest = _HEAD.unpack_from(head)
    if mark != FRAME_MARK or magic != MAGIC or first_seq < 1 or not 1 <= count < len(records) - slot:
        return None
    content = records[slot : slot + 1 + count].data.cast("B")
    if _digest_around(content, _FRAME_DIGEST_AT) != digest:
        return None
    return Frame(records, slot, epoch, first_seq, count, durable_upto, previous, digest)


def frames_behind(records: Records, slot: int, place: Position) -> Iterator[Frame]:
    """Yield the frames from a slot on, as far as each continues the one before.

    place : where the frame at `slot` has to begin
    """
    while (frame := frame_at(records, slot)) is not None:
        if frame.first_seq != place.seq + 1 or frame.previous != place.digest:
            return
        yield frame
        slot, place = frame.end_slot, frame.end


def segment_head(
    owner: JournalOwner, *, epoch: int, number: int, first_seq: int, created_at: int, anchor: bytes
) -> bytes:
    """Return the slot that the head of a segment takes."""
    made = np.zeros(1, SEGMENT_HEAD)
    head = made[0]
    head["mark"], head["magic"], head["version"] = SEGMENT_MARK, MAGIC, FORMAT_VERSION
    head["layout"] = record_hash(owner.record)
    identity = owner.identity_at(number)
    assert identity is not None, "whoever writes knows what it writes"
    head["identity"], head["epoch"], head["number"] = identity, epoch, number
    head["first_seq"], head["created_at"] = first_seq, created_at
    head["anchor"] = np.frombuffer(anchor, np.uint8)
    slot = made.tobytes().ljust(owner.record.itemsize, b"\0")
    head["digest"] = np.frombuffer(_segment_digest(slot), np.uint8)
    return made.tobytes().ljust(owner.record.itemsize, b"\0")


def read_segment_head(slot: bytes) -> SegmentHead | str:
    """Return the verified head of a segment, or what is wrong with it."""
    head: Any = np.frombuffer(slot[:HEAD_BYTES], SEGMENT_HEAD)[0]
    if head["mark"] != SEGMENT_MARK or head["magic"] != MAGIC:
        return "its first record is no segment head"
    if head["version"] != FORMAT_VERSION:
        return f"its format version is {head['version']}, this Pinion writes {FORMAT_VERSION}"
    if _segment_digest(slot) != head["digest"].tobytes():
        return "its head is damaged: the digest does not fit"
    return SegmentHead(
        int(head["layout"]),
        int(head["identity"]),
        int(head["epoch"]),
        int(head["number"]),
        int(head["first_seq"]),
        int(head["created_at"]),
        head["anchor"].tobytes(),
    )


@cache
def _descr(dtype: np.dtype[Any]) -> str:
    return repr(np.lib.format.dtype_to_descr(dtype))


def _segment_digest(slot: bytes) -> bytes:
    return _digest_around(memoryview(slot), _SEGMENT_DIGEST_AT)


def _digest_around(content: memoryview, digest_at: int) -> bytes:
    """Return the digest of everything but the place where the digest itself stands."""
    hashed = blake3.blake3(content[:digest_at])
    hashed.update(content[digest_at + DIGEST_BYTES :])
    return hashed.digest()
