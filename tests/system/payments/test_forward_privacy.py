"""No card number is written where payments are forwarded either: every byte is searched behind each fault."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from engine.contract import instance
from tests.system.payments.processors import RunningProcessor
from tests.system.payments.running import RunningPayments, write_settings
from tests.system.payments.search import Search
from tests.system.payments.test_forward import SETTINGS
from tests.system.payments.test_privacy import SECRETS, SET_UP, core_limits, is_serving, play
from tests.system.running import await_true

FAULTS = {
    "decline": 10,
    "slow": 10,
    "late": 10,
    "twice": 15,
    "forget": 10,
    "reset": 10,
    "lose": 10,
    "down": 10,
}
FORWARDED_MIN, ROUNDS_MAX = 10, 20
Start = Callable[..., RunningPayments]


def test_nothing_that_is_personal_is_anywhere_but_at_the_processor(start: Start, tmp_path: Path) -> None:
    search, control = Search(SECRETS), Search(["r1-0", "m1"])
    data_dir = tmp_path / "data"
    with RunningProcessor(seed=5) as processor:
        settings = SETTINGS.format(url=processor.url, deadline_ms=300)
        options = write_settings(tmp_path, "\n".join(map(json.dumps, SET_UP)), settings)
        running = start(*options, "--verbose", data_dir=data_dir)
        running.await_ready()
        processor.fail(**FAULTS)
        found = play(running, 1, search)
        before = running.pid_of("payments")
        os.kill(before, signal.SIGKILL)
        await_true(lambda: running.pid_of("payments") != before and is_serving(running), "it serves", 120.0)
        for round_number in range(2, ROUNDS_MAX):
            found += play(running, round_number, search)
            if len(processor.entries) > FORWARDED_MIN:  # a door leaves a slow processor alone for a while
                break
        limits = core_limits(running)
        shared = [Path("/dev/shm", name) for name in instance.read(data_dir).segments.values()]
        found += [each for path in shared for each in search.in_file(path)]
        seen = [each for path in shared for each in control.in_file(path)]
        sent = processor.entries
        assert running.stop() == 0
        assert running.process.stdout is not None
        found += search.in_bytes(
            "\n".join([*running.lines, running.process.stdout.read()]).encode(), "stdout"
        )
        found += search.in_folder(data_dir)

    assert found == []
    assert seen, "what must be found there is not: the search is blind"
    assert len(sent) > FORWARDED_MIN
    assert "the processor does not answer as it should" in running.errors.read_text()
    assert set(limits.values()) == {"0 0"}, limits
