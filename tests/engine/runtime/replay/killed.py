"""The loop dies within a batch of several rings, and recovers: `killed.py DATA` prints what came of it.

PINION_CRASH_AT plans the death. The loop dies in a child of this process, which shares rings, state and
the loop's memory with it, and this process then does what a new worker does.
"""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

from engine.runtime.crash_points import arm
from engine.settings.config import EngineSettings
from tests.engine.runtime import echo
from tests.engine.runtime.live import Live, entries_of, living

SETTINGS = EngineSettings(command_ring=64, journal_ring=64, event_ring=1024, batch=16, journal_segment=256)
RINGS = ("a", "b", "spare-0")
WAITING = (3, 5, 4)
"""Commands in each ring: one batch takes them all."""


def fill(live: Live) -> None:
    """Publish the commands: each says whose it is, and which."""
    for idx, (ring, count) in enumerate(zip(live.rings, WAITING, strict=True)):
        commands = np.zeros(count, echo.COMMAND)
        commands["op"], commands["account"], commands["mark"] = echo.ADD, idx, 1
        commands["req_seq"], commands["count"] = np.arange(count), 2
        assert ring.push(commands) == count


def die(live: Live) -> int:
    """Let a child run the loop until it dies; return the signal."""
    child = os.fork()
    if child == 0:
        arm(live.loop)
        live.run()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def main(data_dir: Path) -> None:
    """Die, recover, go on with the same commands once more, and tell."""
    with living(data_dir, echo.application(), SETTINGS, RINGS, ("door",)) as live:
        fill(live)
        assert die(live) == signal.SIGABRT
        tails = [ring.released for ring in live.rings]
        live.commit()
        live.start_worker()
        fill(live)
        live.settle()
        entries, told = entries_of(live), live.told()
        print(
            json.dumps(
                {
                    "tails": tails,
                    "entries": [
                        [int(each["ring"]), int(each["ring_seq"]), int(each["command"]["req_seq"])]
                        for each in entries
                    ],
                    "events": told[["seq", "place"]].tolist(),
                    "totals": live.segments.state.slots["totals"][0].tolist(),
                }
            )
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
