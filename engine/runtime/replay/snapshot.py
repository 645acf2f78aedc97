"""Snapshots: DATA/snapshots/SEQ.npy, an array of one record {meta, state} that `np.load` maps.

Written sparse: blocks of zeros, most of the state's capacity, are holes. A snapshot says where
in the journal it was taken (the digest of the frame that ends there), so it cannot be put
beside another journal, and its content is hashed, so it is verified before anything is copied.
"""

import ast
import errno
import mmap
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import blake3
import numpy as np
import numpy.typing as npt

from engine.contract.application import Application, identity_of
from engine.contract.replica import RING_MARK, RING_MARKS, Replica
from engine.runtime.crash_points import crash_point
from engine.runtime.journal.disk import Disk
from engine.runtime.journal.frames import DESCRIPTION, DIGEST_BYTES, Position, first_difference, npy_head
from engine.runtime.journal.journal import START

FOLDER = "snapshots"
NAME = re.compile(r"(\d{16})\.npy")
DRAFT = "draft.tmp"
MAGIC = int.from_bytes(b"PINIONS1", "little")
FORMAT_VERSION = 1
NPY_HEAD_BYTES = 8192
"""Below the 10,000 that `np.load` takes without being asked; a state of many fields needs a multiple."""
NPY_HEAD_BYTES_MAX = 2**16
"""A header's own length has two bytes."""
META_BYTES = 4096
BLOCK_BYTES = 2**16
KEPT = 2

_NUMBERS = ("magic", "version", "identity", "seq", "epoch", "eng_ts", "event_count", "event_hash")
META = np.dtype(
    {
        "names": [*_NUMBERS, "frame", "content", "rings"],
        "formats": [
            *["<i8"] * 8,
            ("u1", (DIGEST_BYTES,)),
            ("u1", (DIGEST_BYTES,)),
            (RING_MARK, (RING_MARKS,)),
        ],
        "offsets": [*range(0, 64, 8), 64, 64 + DIGEST_BYTES, 64 + 2 * DIGEST_BYTES],
        "itemsize": META_BYTES,
    }
)
"""What a snapshot says of itself; `frame`: digest of the frame that ends at seq."""
_CONTENT_AT = 64 + DIGEST_BYTES


class Rebuilt(Protocol):
    """A rebuilt state that a snapshot can be taken of: a Replica, or what was made of one."""

    @property
    def state(self) -> npt.NDArray[Any]:
        """Return the array of one state record."""

    @property
    def marks(self) -> npt.NDArray[Any]:
        """Return RING_MARK[RING_MARKS]."""

    @property
    def epoch(self) -> int:
        """Return the start that took the last command."""

    @property
    def seq(self) -> int:
        """Return the seq of the last command applied."""


class SnapshotError(Exception):
    """Error of a snapshot that cannot be used; the text says which and why."""


class Snapshot(NamedTuple):
    """A verified snapshot."""

    path: Path
    position: Position
    epoch: int
    event_count: int
    record: npt.NDArray[Any]  # one {meta, state}, mapped read-only


class OtherLayoutError(SnapshotError):
    """Error of a whole snapshot of the application whose state is laid out in another way: `found`."""

    def __init__(self, found: Snapshot) -> None:
        super().__init__(
            f"{found.path}: its state has another layout, that of other capacities or another version of "
            f"Pinion; bring it over: pinion journal migrate {found.path.parent.parent}"
        )
        self.found = found


def snapshot_name(seq: int) -> str:
    """Return the file name of a snapshot."""
    return f"{seq:016d}.npy"


def snapshot_paths(data_dir: Path) -> list[Path]:
    """Return the snapshots' files, newest first."""
    folder = data_dir / FOLDER
    return sorted((path for path in folder.glob("*.npy") if NAME.fullmatch(path.name)), reverse=True)


def write(data_dir: Path, replica: Rebuilt, position: Position, application: Application, disk: Disk) -> Path:
    """Write the replica's state as it is behind `position`; keep the one before; return the path."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    assert replica.seq == position.seq
    s = replica.state[0]
    meta = np.zeros(1, META)
    meta["magic"], meta["version"], meta["identity"] = MAGIC, FORMAT_VERSION, application.snapshot_identity
    meta["seq"], meta["epoch"], meta["eng_ts"] = position.seq, replica.epoch, s["eng_ts"]
    meta["event_count"], meta["event_hash"] = s["event_count"], s["event_hash"]
    meta["frame"] = np.frombuffer(position.digest, np.uint8)
    meta["rings"] = replica.marks
    head = _npy_head(replica.state.dtype)
    begin = len(head) + META_BYTES
    draft = folder / DRAFT
    disk.remove(draft)
    with disk.made(draft) as file:
        content = blake3.blake3()
        for index, block in _blocks(replica.state):
            content.update(index.to_bytes(8, "little"))
            content.update(block)
            disk.write(file, block, begin + index * BLOCK_BYTES)
        disk.write(file, replica.state.view(np.uint8)[-1:].data, begin + replica.state.nbytes - 1)
        meta["content"] = np.frombuffer(_sealed(meta, content.digest()), np.uint8)
        disk.write(file, head + meta.tobytes(), 0)
        crash_point("snapshot.written")
    path = folder / snapshot_name(position.seq)
    disk.rename(draft, path)
    crash_point("snapshot.named")
    disk.sync_folder(folder)
    disk.sync_folder(data_dir)  # the folder itself may be new
    # A later one that could not be used is no reason to remove a good one.
    good = [each for each in snapshot_paths(data_dir) if each.name <= path.name]
    for old in good[KEPT:]:
        disk.remove(old)
    return path


def newest(data_dir: Path, application: Application) -> tuple[Snapshot | None, list[str]]:
    """Return the newest snapshot that is whole, and what is wrong with those that are newer."""
    complaints: list[str] = []
    for path in snapshot_paths(data_dir):
        try:
            return load(path, application), complaints
        except SnapshotError as error:
            complaints.append(str(error))
    return None, complaints


def load(path: Path, application: Application) -> Snapshot:
    """Map and verify one snapshot; raises SnapshotError, OtherLayoutError where another layout is whole."""
    try:
        return _verified(path, application.state_dtype, application.snapshot_identity)
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error}") from error
    except SnapshotError as fault:
        if layout_of(path, application.name) in (None, application.state_dtype):
            raise
        raise OtherLayoutError(load_other(path, application)) from fault


def load_other(path: Path, application: Application) -> Snapshot:
    """Map and verify one snapshot of the application, of whatever layout its state is; SnapshotError."""
    state_dtype = layout_of(path, application.name)
    if state_dtype is None:
        raise SnapshotError(f"{path}: its numpy header is damaged, or another application's")
    return _verified(path, state_dtype, identity_of(application.name, state_dtype))


def _verified(path: Path, state_dtype: np.dtype[Any], identity: int) -> Snapshot:
    record = _mapped(path, state_dtype)
    meta = record["meta"][0]
    if meta["magic"] != MAGIC or meta["version"] != FORMAT_VERSION:
        raise SnapshotError(f"{path}: has another format version")
    if meta["identity"] != identity:
        raise SnapshotError(f"{path}: was taken with other capacities or another application")
    content = blake3.blake3()
    for index, block in _blocks(record["state"], _written(path, _begin_of(state_dtype))):
        content.update(index.to_bytes(8, "little"))
        content.update(block)
    if _sealed(record["meta"], content.digest()) != meta["content"].tobytes():
        raise SnapshotError(f"{path}: is damaged: its content does not fit its digest")
    position = Position(int(meta["seq"]), meta["frame"].tobytes())
    if path.name != snapshot_name(position.seq):
        raise SnapshotError(f"{path}: was taken at seq {position.seq}; give it back its name")
    return Snapshot(path, position, int(meta["epoch"]), int(meta["event_count"]), record)


def layout_of(path: Path, application: str) -> np.dtype[Any] | None:
    """Return the layout of the state by the file's own header; None where it is none of the application.

    The text of a header is made here alone, so one that reads the same when it is made again is whole.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(NPY_HEAD_BYTES_MAX + META_BYTES)
        found = DESCRIPTION.match(beginning)
        with warnings.catch_warnings(action="ignore"):  # of what a damaged header may seem to ask for
            record = np.lib.format.descr_to_dtype(ast.literal_eval(found[1].decode())) if found else None
    except (OSError, ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if record is None or record.names != ("meta", "state"):
        return None
    state_dtype = record["state"]
    head, begin = _npy_head(state_dtype), _begin_of(state_dtype)
    if len(beginning) < begin or not beginning.startswith(head):
        return None
    identity = int(np.frombuffer(beginning, META, 1, len(head))[0]["identity"])
    return state_dtype if identity == identity_of(application, state_dtype) else None


def _mapped(path: Path, state_dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Map the one record of a file whose numpy header and length are exactly what was written.

    Nothing of it is parsed: numpy takes a third of a second to refuse some damaged headers.
    """
    dtype = np.dtype([("meta", META), ("state", state_dtype)])
    with path.open("rb") as file:
        wanted = _npy_head(state_dtype)
        found = file.read(len(wanted))
        if found != wanted:
            raise SnapshotError(
                f"{path}: was taken with other capacities or another application, or its numpy header is "
                f"damaged (byte {first_difference(found, wanted):,})"
            )
        size = os.fstat(file.fileno()).st_size
        if size != len(wanted) + dtype.itemsize:
            raise SnapshotError(f"{path}: ends at byte {size:,} instead of {len(wanted) + dtype.itemsize:,}")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, dtype, 1, len(wanted))


def restore(snapshot: Snapshot | None, replica: Replica) -> Position:
    """Bring a replica whose state is all zeros to the snapshot; return where the journal goes on."""
    if snapshot is None:
        return START
    target = replica.state.view(np.uint8)
    written = _written(snapshot.path, _begin_of(snapshot.record["state"].dtype))
    for index, block in _blocks(snapshot.record["state"], written):
        first = index * BLOCK_BYTES
        target[first : first + len(block)] = np.frombuffer(block, np.uint8)
    replica.marks[:] = snapshot.record["meta"][0]["rings"]
    replica.epoch = snapshot.epoch
    replica.be_restored()
    return snapshot.position


def clear(state: npt.NDArray[Any], path: Path, offset: int) -> None:
    """Make a shared state all zeros again.

    path, offset : of its file; pages that nobody wrote to are holes there and stay untouched
    """
    octets = state.view(np.uint8)
    for first, end in _written(path, offset):
        octets[first * BLOCK_BYTES : end * BLOCK_BYTES] = 0


def _blocks(
    state: npt.NDArray[Any], candidates: Iterable[tuple[int, int]] = ((0, 2**62),)
) -> Iterator[tuple[int, memoryview]]:
    """Yield (index, content) of every block that is not all zeros, among ranges of candidates."""
    octets = np.ascontiguousarray(state).view(np.uint8).reshape(-1)
    content = octets.data
    whole = len(octets) // BLOCK_BYTES
    words = octets[: whole * BLOCK_BYTES].view(np.int64).reshape(whole, -1)
    for first, end in candidates:
        used = (np.flatnonzero(np.bitwise_or.reduce(words[first:end], axis=1)) + first).tolist()
        if end > whole and octets[whole * BLOCK_BYTES :].any():
            used.append(whole)
        for index in used:
            yield index, content[index * BLOCK_BYTES : (index + 1) * BLOCK_BYTES]


def _written(path: Path, offset: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of blocks of a sparse file, counted from `offset`, that are no holes."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = offset
        while True:
            try:
                begin = max(os.lseek(file, max(end, offset), os.SEEK_DATA), offset)
            except OSError as error:
                if error.errno == errno.ENXIO:  # no data behind here
                    return
                raise
            end = os.lseek(file, begin, os.SEEK_HOLE)
            first, last = (begin - offset) // BLOCK_BYTES, -((offset - end) // BLOCK_BYTES)
            end = offset + last * BLOCK_BYTES  # a block that was reported is not reported again
            yield first, last
    finally:
        os.close(file)


def _sealed(meta: npt.NDArray[Any], content: bytes) -> bytes:
    """Return the digest over meta, without its place for this digest, and the content."""
    raw = meta.tobytes()
    return blake3.blake3(raw[:_CONTENT_AT] + raw[_CONTENT_AT + DIGEST_BYTES :] + content).digest()


def _begin_of(state_dtype: np.dtype[Any]) -> int:
    """Return where in a file its state begins."""
    return len(_npy_head(state_dtype)) + META_BYTES


@cache
def _npy_head(state_dtype: np.dtype[Any]) -> bytes:
    return npy_head(1, np.dtype([("meta", META), ("state", state_dtype)]), NPY_HEAD_BYTES)
