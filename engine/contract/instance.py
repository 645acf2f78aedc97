"""What a running instance says of itself: DATA/instance.json, by which its segments are found.

The supervisor writes the file once everything is up, and again when a process is restarted;
doors, feeders and `pinion status` read it to find the segments. It names things, it holds no
truth of its own: a segment's header says whether it is what the file claims.
"""

import errno
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.contract.control_words import HISTOGRAMS, STATS, bells_dtype, rings_dtype
from engine.contract.errors import ToldError, reason_of
from engine.contract.histogram import Histogram
from engine.contract.records import entry_dtype
from engine.contract.spread import SLOT
from ringbuf.counters import Counters
from ringbuf.segment import Kind, Segment, SegmentError, attach
from ringbuf.whole_files import write_atomically

log = logging.getLogger(__name__)

INSTANCE_FILE = "instance.json"
SUPERVISOR = "supervisor"
WORKER = "worker"
JOURNALER = "journaler"
SHADOW = "shadow"
HISTORY = "history"
DATABASE = "database"
HISTORY_COUNTS = ("heartbeat", "seq", "complete_seq", "errors")
"""seq that the database has, seq up to which it lacks no event, failed attempts to write."""
SHADOW_COUNTS = ("heartbeat", "seq", "checks", "differences", "snapshot_seq", "stopped")
"""seq reached, hashes compared, differences found (0 or 1), seq of the last snapshot, 1: follows no more."""
READY_FOLDER = "ready"


class PortError(ToldError):
    """Error of an instance that cannot be reached or used; the text says why and what to do."""


class NoInstanceError(PortError):
    """There is no instance file: nothing runs there, or the folder was moved away under it."""


class Process(msgspec.Struct, frozen=True):
    """A process of the instance."""

    name: str
    pid: int


class Ending(msgspec.Struct, frozen=True):
    """How a process ended that nobody had asked to: the last time, and how often."""

    process: str
    pid: int
    ended_at: int  # ns since 1970
    cause: str
    count: int


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One start of an instance (an epoch)."""

    epoch: int
    data_dir: str
    application: str
    durability: str
    config: str  # path of the TOML, or "demo"
    started_at: int  # ns since 1970
    processes: tuple[Process, ...]
    rings: tuple[str, ...]  # index = ring_idx
    spares: tuple[str, ...]  # those of them that a feeder may claim
    command_slots: int  # of every ring
    segments: dict[str, str]
    command_fields: Any  # descriptions of the application's dtypes
    event_fields: Any
    event_forms: list[list[int]]  # in which words of its slots an event lies (spread.py)
    state_fields: Any
    wait: str  # engine.wait
    sleepers: tuple[str, ...]  # index = bell
    doors: dict[str, str]  # section of a door's settings -> its URL, sorted
    history: str = ""  # DSN of the database, empty: none
    endings: tuple[Ending, ...] = ()

    def ring_idx(self, name: str) -> int:
        """Return the index of a command ring, or say which there are."""
        if name not in self.rings:
            raise PortError(f"no command ring {name!r} in {self.data_dir}; there are {', '.join(self.rings)}")
        return self.rings.index(name)


def fields_of(dtype: np.dtype[Any]) -> Any:
    """Describe a packed record dtype in lists, for JSON."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return [fields_of(base), list(shape)]
    if dtype.fields is None or dtype.names is None:
        return dtype.str
    return {name: fields_of(dtype.fields[name][0]) for name in dtype.names}


def dtype_of(fields: Any) -> np.dtype[Any]:
    """Return the dtype that `fields_of` described."""
    if isinstance(fields, str):
        return np.dtype(fields)
    if isinstance(fields, dict):
        return np.dtype([(name, dtype_of(each)) for name, each in fields.items()])
    base, shape = fields
    return np.dtype((dtype_of(base), tuple(shape)))


def write(instance: Instance) -> None:
    """Replace the instance file in one step."""
    write_atomically(Path(instance.data_dir) / INSTANCE_FILE, msgspec.json.encode(instance))


def read(data_dir: Path) -> Instance:
    """Return what the instance file says; NoInstanceError when there is none."""
    path = data_dir / INSTANCE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Instance)
    except FileNotFoundError:
        raise NoInstanceError(
            f"no instance runs on {data_dir}: start one with `pinion up --data {data_dir}`, or with "
            f"`pinion payments up --data {data_dir}`"
        ) from None
    except OSError as error:
        raise PortError(f"{path} cannot be read: {reason_of(error)}") from error
    except msgspec.MsgspecError as error:
        raise PortError(f"{path} cannot be read: {error}") from error


def take_lock(path: Path, note: bytes) -> int | None:
    """Take a file's lock until this process ends or closes it, and leave a note in it; None: it is taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, note, 0)
    return descriptor


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, for this user alone, whatever the umask.

    NotADirectoryError names the file that is in the way.
    """
    for each in reversed((folder, *folder.parents)):
        if not each.is_dir():
            try:
                each.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                raise NotADirectoryError(
                    errno.ENOTDIR,
                    "a file is where a folder should be: remove it, or name another folder",
                    str(each),
                ) from None


def write_ready(data_dir: Path, name: str, port: int) -> None:
    """Tell the supervisor that this process serves, and on which port."""
    folder = data_dir / READY_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    write_atomically(folder / name, json.dumps({"pid": os.getpid(), "port": port}).encode())


def write_failure(data_dir: Path, name: str, text: str) -> None:
    """Write down why this process ends: for the supervisor, or into the log where the folder takes none."""
    folder = data_dir / READY_FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_atomically(folder / f"{name}.error", text.encode())
    except OSError:
        log.error("%s ends: %s", name, text)


def read_failure(data_dir: Path, name: str) -> str:
    """Return, once, what a process said before it ended."""
    path = data_dir / READY_FOLDER / f"{name}.error"
    try:
        text = path.read_text()
        path.unlink()
    except OSError:  # it said nothing, or the folder is out of reach, which is told elsewhere
        return ""
    return text


def read_ready(data_dir: Path, name: str, pid: int) -> int | None:
    """Return the port that process `pid` reported, None while it has not."""
    try:
        report = json.loads((data_dir / READY_FOLDER / name).read_bytes())
    except FileNotFoundError:
        return None
    return int(report["port"]) if report["pid"] == pid else None


def counter_name(owner: str, what: str) -> str:
    """Return the name of a counter of a process or ring."""
    return f"{owner}.{what}"


def ring_lock_path(data_dir: Path, ring_name: str) -> Path:
    """Return the lock file whose holder may use this command ring."""
    return data_dir / f"ring-{ring_name}.lock"


def attach_commands(instance: Instance) -> Segment:
    """Map the command rings."""
    dtype = rings_dtype(len(instance.rings), instance.command_slots, dtype_of(instance.command_fields))
    return _attach(instance, "commands", Kind.STATE, dtype, readonly=False)


def attach_journal(instance: Instance) -> Segment:
    """Map the journal ring, read-only."""
    return _attach(
        instance, "journal", Kind.SPSC, entry_dtype(dtype_of(instance.command_fields)), readonly=True
    )


def attach_events(instance: Instance) -> Segment:
    """Map the event ring, read-only."""
    return _attach(instance, "events", Kind.BROADCAST, SLOT, readonly=True)


def attach_bells(instance: Instance) -> Segment:
    """Map the bells; each process writes its own, and calls others."""
    dtype = bells_dtype(len(instance.sleepers))
    return _attach(instance, "bells", Kind.STATE, dtype, readonly=False)


def attach_state(instance: Instance) -> Segment:
    """Map the state, read-only: the processor refuses writes."""
    return _attach(instance, "state", Kind.STATE, dtype_of(instance.state_fields), readonly=True)


def attach_counters(instance: Instance) -> Counters:
    """Map the counters; each process writes only its own."""
    with _reachable(instance):
        return Counters.attach(instance.segments["counters"], epoch=instance.epoch)


def attach_histograms(instance: Instance) -> dict[str, Histogram]:
    """Return copies of the worker's histograms by name."""
    shared = _attach(instance, "stats", Kind.STATE, STATS, readonly=True)
    return {name: Histogram(shared.slots[0]["buckets"][i]) for i, name in enumerate(HISTOGRAMS)}


def _attach(instance: Instance, segment: str, kind: Kind, dtype: np.dtype[Any], readonly: bool) -> Segment:
    with _reachable(instance):
        return attach(instance.segments[segment], kind, dtype, epoch=instance.epoch, readonly=readonly)


@contextmanager
def _reachable(instance: Instance) -> Iterator[None]:
    """Turn a segment's error into one that names the instance."""
    try:
        yield
    except SegmentError as error:
        raise PortError(f"the instance on {instance.data_dir} cannot be reached: {error}") from error
