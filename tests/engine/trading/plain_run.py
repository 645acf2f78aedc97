"""Apply COMMAND records and save the events and the state's digest: `plain_run.py COMMANDS.npy EVENTS.npy`.

Run with NUMBA_DISABLE_JIT=1 it is the overflow detector: the kernels are plain Python
then, and any product or sum of theirs that leaves int64 raises.
"""

import sys
from typing import Any

import numpy as np

from engine.batches import PLACES, STAGES, STRIDE
from engine.records import COMMAND, Op
from engine.trading.apply import apply
from engine.trading.digest import digest
from engine.trading.prepare import prepare
from engine.trading.state import new_state
from tests.engine.trading.engine_side import SMALL


def hint_ahead(s: Any, commands: Any, position: int) -> None:
    """Give the hints due before commands[position]: numpy refuses an index beyond its array's end."""
    for stage in range(STAGES):
        ahead = position + (STAGES - stage) * STRIDE
        if ahead < len(commands):
            prepare(s, commands[ahead], stage, ahead & (PLACES - 1))


def plain_run(commands: Any) -> tuple[np.ndarray, str]:
    """Apply the commands in plain Python; return the events and the digest."""
    state = new_state(SMALL)
    s = state.view(np.recarray)[0]
    parts = []
    with np.errstate(over="raise"):
        for position, command in enumerate(commands):
            hint_ahead(s, commands, position)
            eng_ts = max(s.eng_ts, command["value"]) if command["op"] == Op.TIME else s.eng_ts
            s.out_count = 0
            count = apply(s, command, s.seq + 1, eng_ts, np.int64(0))
            s.opened_count = 0
            parts.append(s.out[:count].copy())
            assert s.seq == position + 1
    s.out_count = 0
    return np.concatenate(parts).view(np.ndarray), digest(state)


if __name__ == "__main__":
    given = np.load(sys.argv[1])
    assert given.dtype == COMMAND
    made, reached = plain_run(given)
    made["event_idx"] = np.arange(len(made))
    np.save(sys.argv[2], made)
    print(reached)
