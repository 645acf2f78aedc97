"""The configuration enters the engine like everything else: as commands through a ring."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.contract.application import Application
from engine.contract.port import Port
from engine.contract.records import ROLES_ALL, Operation
from engine.runtime.supervision.endings import StartError

CONFIGURE_WAIT_S = 20.0
LOOK_AGAIN_S = 0.001


@dataclass(frozen=True, slots=True)
class Definition:
    """A command of the configuration and the setting that it comes from."""

    setting: str
    command: npt.NDArray[np.void]


def sessions_down(application: Application, admin: Port, ring_idx: int) -> bool:
    """Tell the engine that every session of a ring has ended; False where there is no room for it."""
    command = application.own_command(Operation.SESSION_DOWN)
    command["value"] = ring_idx
    return admin.submit(command) == 1


def configure(application: Application, admin: Port, definitions: Sequence[Definition]) -> None:
    """Send the definitions and wait until all are applied; StartError names the setting refused."""
    if not definitions:
        return
    commands = np.concatenate([each.command for each in definitions])
    commands["version"], commands["roles"] = application.command_version, ROLES_ALL
    commands["session"] = admin.next_session()
    commands["req_seq"] = np.arange(len(commands))
    sent = done = 0
    deadline = time.monotonic() + CONFIGURE_WAIT_S
    while done < len(commands):
        sent += admin.submit(commands[sent:])
        for event in admin.drain():
            if reason := application.refusal(event):
                setting = definitions[event["req_seq"]].setting
                raise StartError(f"{setting}: refused by the engine, {reason}; correct the configuration")
            done = max(done, int(event["req_seq"]) + 1)
        if time.monotonic() > deadline:
            raise StartError(f"the worker applied only {done} of {len(commands)} settings in time")
        time.sleep(LOOK_AGAIN_S)
