"""Run commands through the engine offline: no processes, no rings, no clock of its own.

The same kernel as live trading. The clock moves only by TIME commands.
"""

from typing import Any

import numpy as np

from engine.contract.batches import PLACES, STAGES, STRIDE
from engine.trading import codes
from engine.trading.capacities import Capacities
from engine.trading.kernels.apply import apply
from engine.trading.kernels.prepare import prepare
from engine.trading.kernels.state import new_state
from engine.trading.records import COMMAND, EVENT
from ringbuf.kernel import COMPILED, kernel

FIRST_ROOM = 4096


@kernel
def run(s, commands, first, count, ring, events, room):
    """Apply commands[first : first + count] and append their events.

    Parameters
    ----------
    s : the STATE record
    commands : COMMAND[n]
    ring : int64, the ring the commands are said to come from
    events : EVENT[m], filled from 0
    room : int64, slots of `events` that may be filled; 0: events are not kept

    Returns (commands applied, events written). It stops early, between commands, when
    the next command's events did not fit: those are then still in `s.out`, so the
    caller copies `s.out[: s.out_count]` and goes on behind that command.
    """
    written = 0
    for k in range(count):
        for stage in range(STAGES):  # no function of its own: an array argument costs two atomic adds
            ahead = k + (STAGES - stage) * STRIDE
            if ahead < count:
                prepare(s, commands[first + ahead], stage, ahead & (PLACES - 1))
        command = commands[first + k]
        eng_ts = s.eng_ts
        if command["op"] == codes.OP_TIME:
            eng_ts = max(eng_ts, command["value"])
        s.out_count = 0
        made = apply(s, command, s.seq + 1, eng_ts, ring)
        close_opened(s)
        if room != 0:
            if written + made > room:
                return k + 1, written
            for i in range(made):
                events[written + i] = s.out[i]
                events[written + i]["event_idx"] = s.event_count - made + i
            written += made
    s.out_count = 0
    return count, written


@kernel
def close_opened(s):
    """Make the versions that a command opened even again (protocol rule 8)."""
    for i in range(s.opened_count):
        s.version[s.opened[i]] = 2 * s.seq
    s.opened_count = 0


def run_all(state: Any, commands: Any, ring: int = 0) -> np.ndarray:
    """Apply every command of a COMMAND array to `state`; return all events, EVENT[n]."""
    s = state[0] if COMPILED else state.view(np.recarray)[0]  # plain Python reads fields as attributes
    parts = []
    done = 0
    room = max(FIRST_ROOM, 2 * len(commands))
    events = np.zeros(room, EVENT)
    while done < len(commands):
        applied, written = run(s, commands, done, len(commands) - done, ring, events, room)
        parts.append(events[:written].copy())
        done += applied
        if s["out_count"]:  # the last command's events did not fit
            left = s["out"][: s["out_count"]].copy()
            left["event_idx"] = np.arange(s["event_count"] - len(left), s["event_count"])
            parts.append(left)
            s["out_count"] = 0
    return np.concatenate(parts) if parts else np.zeros(0, EVENT)


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
