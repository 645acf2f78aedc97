"""An echo instance whose /dev/shm somebody else fills: run in a /dev/shm of its own, it tells what it saw.

    python -m tests.engine.runtime.supervision.full_shm_story DIR

The echo state's `out` is touched as far as a command's events reach: one with more of them than any
before needs pages that were declared and never touched.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from pinion.cli.instance.status import collect, text_of
from tests.engine.runtime.echo import ADD, COMMAND
from tests.engine.runtime.echo_tools import BOTH
from tests.engine.runtime.replay.test_recovery import EchoInstance

FILLER = Path("/dev/shm/filler")
EVENTS = 1500
DEATHS = 3
"""More than the two in a row at one command that would latch the engine as poisoned."""


def fill() -> None:
    """Be somebody else, who takes all that is left."""
    with suppress(OSError), FILLER.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def main(data_dir: Path) -> None:
    """Play it; print what was seen."""
    running = EchoInstance(data_dir)
    try:
        running.enter()
        number = running.play(0, 3)
        fill()
        large = np.zeros(1, COMMAND)
        large["op"], large["req_seq"], large["mark"], large["count"] = ADD, number, 3, EVENTS
        assert running.gate.submit(large) == 1
        running.until(lambda: running.errors.read_text().count("SIGBUS") >= DEATHS, "deaths of the worker")
        status = collect(data_dir, BOTH)
        FILLER.unlink()
        running.until(lambda: running.last_req_seq() >= number, "the answer")
        number = running.play(number + 1, 3)
        mended = collect(data_dir, BOTH)
        code = running.stop()
        heard = np.concatenate(running.events)
        seen = {
            "status": status,
            "text": text_of(status),
            "mended": mended,
            "log": running.errors.read_text(),
            "exit": code,
            "events_of_large": int((heard["req_seq"] == large["req_seq"][0]).sum()),
            "event_count": len(heard),
            "last_event_idx": int(heard[-1]["event_idx"]),
        }
        print(json.dumps(seen))
    finally:
        running.clean_up()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
