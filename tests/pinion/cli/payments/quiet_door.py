"""A door of payments that answers nobody: it says to a file what it was told, and is alive until SIGTERM."""

import json
import signal
import socket
import time
from contextlib import suppress

from engine.contract.instance import write_ready
from engine.contract.port import Port
from engine.settings.config import DoorSettings

TOLD = "door.json"
LOOK_AGAIN_S = 0.2


def run(door: DoorSettings) -> None:
    """Serve nobody until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told = {
        "application": door.application,
        "keys": [[key.name, key.roles, key.scope] for key in door.keys],
        "section": door.section,
    }
    (door.data_dir / TOLD).write_text(json.dumps(told))
    with (
        suppress(KeyboardInterrupt),
        Port.attach(door.data_dir, door.ring_name) as gate,
        socket.create_server((door.host, door.port)) as listening,
    ):
        write_ready(door.data_dir, door.name, listening.getsockname()[1])
        while True:
            gate.beat()
            time.sleep(LOOK_AGAIN_S)
