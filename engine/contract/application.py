"""What an application gives to the runtime, and how a journal is marked as its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import blake3
import numpy as np
import numpy.typing as npt

from engine.contract.projection import Projection
from engine.contract.records import ROLES_ALL, Operation, entry_dtype, require_fields
from engine.contract.spread import Spread
from ringbuf.segment_header import record_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the runtime knows of an application: a state record, three kernels and how to compare two."""

    name: str
    """Compiled loops are cached under it. One whose sources lie outside our packages names itself after
    a hash of them, for ringbuf/kernel_cache.py does not know them."""
    command_dtype: np.dtype[np.void]
    spread: Spread
    """Its events, and how they lie in slots."""
    command_version: int
    """What the runtime writes into its own commands."""
    state_dtype: np.dtype[np.void]
    capacities: str
    """What its decisions depend on besides the commands, as a short text: journals of others are refused."""
    apply: Callable[..., int]
    prepare: Callable[..., None]
    next_due: Callable[..., int]
    refusal: Callable[[Any], str]
    """Of an event: the reason in words, where it refuses a command, else nothing."""
    digest: Callable[[Any], str]
    """Of an array of one state record."""
    first_difference: Callable[[Any, Any], str]
    """Name the first field in which two states differ."""
    projection: Callable[[], Projection] | None = None
    """Make what turns commands into rows of a database; None: no history."""
    convert: Callable[[Any, Any], None] | None = None
    """Bring the second state, all zeros, to what the first one of other capacities or another layout is."""
    open_folder: Callable[[Path, Callable[[str], NoReturn]], None] = lambda data_dir, end: None
    """Make ready for a data folder before its journal is applied; the second ends this process with a
    reason, wherever in a kernel it is, where something that a command needs is not there."""
    restored: Callable[[Any], None] | None = None
    """Make ready for a state out of a snapshot, an array of one record, before anything is applied to it."""
    past: tuple["Era", ...] = ()
    """What decided the beginning of this journal, oldest first (engine/runtime/replay/eras.py)."""
    earlier: tuple["Marked", ...] = ()
    """How older segments of this journal are marked, oldest first (decision 24)."""

    def __post_init__(self) -> None:
        require_fields(self.command_dtype, self.event_dtype)

    @property
    def event_dtype(self) -> np.dtype[Any]:
        """What readers get."""
        return self.spread.event_dtype

    @property
    def entry_dtype(self) -> np.dtype[np.void]:
        """A command as the journal keeps it."""
        return entry_dtype(self.command_dtype)

    def own_command(self, operation: Operation) -> npt.NDArray[np.void]:
        """Return a command of the runtime's own, one record: every role may ask for it."""
        made = np.zeros(1, self.command_dtype)
        made["op"], made["version"], made["roles"] = operation, self.command_version, ROLES_ALL
        return made

    @property
    def owner(self) -> "JournalOwner":
        """Whose the segments are that this application decided, none of earlier capacities."""
        begin = self.past[-1].number if self.past else 0
        own = (marked for marked in self.earlier if marked.number > begin)
        return JournalOwner(self.entry_dtype, self.identity, (Marked(begin, self.identity), *own))

    @property
    def identity(self) -> int:
        """What the segments of a journal are marked with: the layout of the state has no part in it."""
        return identity_of(self.name, self.entry_dtype, self.capacities)

    @property
    def snapshot_identity(self) -> int:
        """What snapshots are marked with: a state of another layout is none of them."""
        return identity_of(self.name, self.state_dtype)


@dataclass(frozen=True, slots=True)
class Era:
    """An application whose capacities a journal had once."""

    application: Application
    last_seq: int
    """The last command that it decided."""
    number: int
    """Of the first segment that is not its own."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The identity of the segments below a number, where nothing older says so already."""

    number: int
    identity: int | None
    """None: nobody knows it any more. Their place in the chain of digests says whose they are."""


@dataclass(frozen=True, slots=True)
class JournalOwner:
    """Whose a journal is: the records in it, and the identity that each segment is marked with."""

    record: np.dtype[np.void]
    identity: int
    earlier: tuple[Marked, ...] = ()

    def identity_at(self, number: int) -> int | None:
        """Return the identity of a segment by its number; None: any will do."""
        return next((each.identity for each in self.earlier if number < each.number), self.identity)


def identity_of(application: str, dtype: npt.DTypeLike, capacities: str = "") -> int:
    """Return a number that differs when the application, a record's layout or the capacities differ."""
    name = f"{application}\0{capacities}" if capacities else application
    digest = blake3.blake3(name.encode()).digest(8)
    return (int.from_bytes(digest, "little") ^ record_hash(dtype)) >> 1
