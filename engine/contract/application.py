"""What an application gives to the runtime, and how a journal is marked as its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import blake3
import numpy as np
import numpy.typing as npt

from engine.contract.projection import Projection
from engine.contract.records import ROLES_ALL, Operation, entry_dtype, require_fields
from ringbuf.segment_header import record_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the runtime knows of an application: a state record, three kernels and how to compare two."""

    name: str
    """Compiled loops are cached under it. One whose sources lie outside our packages names itself after
    a hash of them, for ringbuf/kernel_cache.py does not know them."""
    command_dtype: np.dtype[np.void]
    event_dtype: np.dtype[np.void]
    command_version: int
    """What the runtime writes into its own commands."""
    state_dtype: np.dtype[np.void]
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
    """Bring the second state, all zeros and of other capacities, to what the first one is."""
    past: tuple["Era", ...] = ()
    """What decided the beginning of this journal, oldest first (engine/runtime/replay/eras.py)."""

    def __post_init__(self) -> None:
        require_fields(self.command_dtype, self.event_dtype)

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
        return JournalOwner(self.entry_dtype, self.identity)

    @property
    def identity(self) -> int:
        """What a journal and its snapshots are marked with: another one cannot read them."""
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
class JournalOwner:
    """Whose a journal is: the records in it, and the identity that each segment is marked with."""

    record: np.dtype[np.void]
    identity: int
    earlier: tuple[tuple[int, int], ...] = ()
    """(number, identity): segments below that number, where no pair before says so already, have that one."""

    def identity_at(self, number: int) -> int:
        """Return the identity of a segment by its number."""
        return next((identity for below, identity in self.earlier if number < below), self.identity)


def identity_of(application: str, state_dtype: npt.DTypeLike) -> int:
    """Return a number that differs when application, capacities or state layout differ."""
    name = blake3.blake3(application.encode()).digest(8)
    return (int.from_bytes(name, "little") ^ record_hash(state_dtype)) >> 1
