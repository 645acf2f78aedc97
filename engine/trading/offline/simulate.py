"""Run commands through the trading engine offline: no processes, no rings, no clock of its own.

The commands are numbered and timed as a journal's are, and a replica applies them: the same kernel
as live trading. The clock moves only by TIME commands.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from engine.contract.application import Application
from engine.contract.replica import SLOT_ROOM, Replica
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.kernels.state import new_state
from engine.trading.records import COMMAND, EVENT, JOURNAL_ENTRY, Op

CHUNK = 2**12
"""Commands numbered at a time."""


def sequenced(commands: Any, state: Any, ring: int = 0) -> np.ndarray:
    """Return COMMAND[n] as JOURNAL_ENTRY[n] that follow what `state` was given last.

    ring : int, the ring the commands are said to come from
    """
    s = state[0]
    entries = np.zeros(len(commands), JOURNAL_ENTRY)
    entries["command"], entries["ring"] = commands, ring
    entries["seq"] = np.arange(s["seq"] + 1, s["seq"] + 1 + len(commands))
    asked = np.where(commands["op"] == Op.TIME, commands["value"], s["eng_ts"])
    entries["eng_ts"] = np.maximum(np.maximum.accumulate(asked), s["eng_ts"])  # it never goes back
    return entries


@cache
def _application() -> Application:
    return trading(Capacities())


def replica_over(state: Any, slot_room: int = SLOT_ROOM) -> Replica:
    """Return a replica that works on an array of one STATE record, whatever its capacities."""
    return Replica(_application(), state, slot_room)


def chunks_of(commands: Any) -> Iterator[Any]:
    """Yield an array CHUNK items at a time."""
    for first in range(0, len(commands), CHUNK):
        yield commands[first : first + CHUNK]


def run_all(state: Any, commands: Any, ring: int = 0) -> np.ndarray:
    """Apply every command of a COMMAND array to `state`; return all events, EVENT[n]."""
    replica = replica_over(state, min(SLOT_ROOM, 64 + 4 * len(commands)))
    made = (replica.apply(sequenced(chunk, state, ring)) for chunk in chunks_of(commands))
    return np.concatenate([np.zeros(0, EVENT), *made])


def simulate(commands: Any, capacities: Capacities | None = None) -> np.ndarray:
    """Apply commands to a fresh engine and return what happened.

    Parameters
    ----------
    commands : COMMAND[n]; administration (currencies, instruments, accounts) included
    capacities : sizes of the state; the defaults when left out

    Returns EVENT[m], in order; `seq` counts the commands from 1.

    Example
    -------
    >>> import numpy as np, pinion
    >>> commands = np.zeros(1, pinion.COMMAND)
    >>> commands["op"], commands["version"] = pinion.Op.SESSION_END, 1
    >>> commands["roles"] = pinion.Role.ALL
    >>> [pinion.EventKind(kind).name for kind in pinion.simulate(commands)["kind"]]
    ['DONE']
    """
    given = np.asarray(commands)
    if given.dtype != COMMAND or given.ndim != 1:
        raise TypeError(f"commands must be a one-dimensional array of pinion.COMMAND, not {given.dtype}")
    return run_all(new_state(capacities or Capacities()), given)
