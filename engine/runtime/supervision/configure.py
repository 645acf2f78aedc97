"""What is set up before the doors open enters the engine like everything else: as commands through a ring."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.application import Application
from engine.contract.port import Port
from engine.contract.records import ROLES_ALL, Operation
from engine.runtime.supervision.endings import StartError

SILENCE_S = 20.0
"""How long the engine may answer nothing."""
LOOK_AGAIN_S = 0.001
Told = Callable[[int, int], None]
"""Is called now and then with how many commands are applied, and of how many."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Commands that belong together, and the setting, or the line of a file, that they come from."""

    setting: str
    commands: npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCommands:
    """What is sent at a start, before the doors open."""

    missing: Callable[[Any], Sequence[Definition]]
    """Return what a state, an array of one STATE record, does not know yet."""
    told: Told = lambda applied, total: None
    applied: Callable[[], None] = lambda: None
    """Is called when all of it has been applied and, where anything is, is on the disk."""


def sessions_down(application: Application, admin: Port, ring_idx: int) -> bool:
    """Tell the engine that every session of a ring has ended; False where there is no room for it."""
    command = application.own_command(Operation.SESSION_DOWN)
    command["value"] = ring_idx
    return admin.submit(command) == 1


def configure(application: Application, admin: Port, state: Any, first: FirstCommands) -> None:
    """Send what the state does not know and wait until it is applied; StartError names what is refused."""
    definitions = first.missing(state)
    if definitions:
        commands = np.concatenate([each.commands for each in definitions])
        commands["version"], commands["roles"] = application.command_version, ROLES_ALL
        commands["session"] = admin.next_session()
        commands["req_seq"] = np.arange(len(commands))
        _send(application, admin, commands, definitions, first.told)
    first.applied()


def _send(
    application: Application,
    admin: Port,
    commands: npt.NDArray[np.void],
    definitions: Sequence[Definition],
    told: Told,
) -> None:
    ends = np.cumsum([len(each.commands) for each in definitions])
    sent = done = 0
    deadline = time.monotonic() + SILENCE_S
    while done < len(commands):
        room = admin.instance.command_slots - admin.depth()
        sent += admin.submit(commands[sent : sent + room])
        events = admin.drain()
        for event in events:
            place = int(event["req_seq"])
            if reason := application.refusal(event):
                setting = definitions[int(np.searchsorted(ends, place, "right"))].setting
                raise StartError(f"{setting}: refused by the engine, {reason}; correct it")
            done = max(done, place + 1)
        if len(events):
            deadline = time.monotonic() + SILENCE_S
            told(done, len(commands))
        elif time.monotonic() > deadline:
            raise StartError(f"the worker applied only {done} of {len(commands)} settings in time")
        else:
            time.sleep(LOOK_AGAIN_S)
