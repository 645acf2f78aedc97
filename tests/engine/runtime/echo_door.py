"""A door of the echo application: whoever connects adds one to account 0 and is told the total."""

import signal
import socket
import time
from contextlib import suppress

import numpy as np

from engine.contract.instance import write_ready
from engine.contract.port import Port
from engine.settings.config import DoorSettings
from tests.engine.runtime.echo import ADD, COMMAND

LOOK_AGAIN_S = 0.05


def run(door: DoorSettings) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        Port.attach(door.data_dir, door.ring_name) as gate,
        socket.create_server((door.host, door.port)) as listening,
    ):
        listening.settimeout(LOOK_AGAIN_S)
        write_ready(door.data_dir, door.name, listening.getsockname()[1])
        while True:
            gate.beat()
            with suppress(TimeoutError):
                caller, _ = listening.accept()
                with caller:
                    caller.sendall(str(_added(gate)).encode())


def _added(gate: Port) -> int:
    """Add one; return the total."""
    command = np.zeros(1, COMMAND)
    command["op"], command["mark"], command["count"] = ADD, 1, 1
    assert gate.submit(command) == 1
    while not len(events := gate.drain()):
        time.sleep(0.001)
    return int(events[-1]["total"])
