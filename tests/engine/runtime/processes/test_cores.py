"""CPUs are given out on purpose, however few there are."""

from typing import Any

import pytest

from engine.contract.instance import DATABASE, HISTORY, JOURNALER, SHADOW, WORKER
from engine.runtime.processes.cores import cpus_of
from engine.settings.config import EngineSettings

NAMES = (WORKER, JOURNALER, "http", SHADOW, HISTORY, DATABASE)


@pytest.mark.parametrize(
    ("settings", "count", "expected"),
    [
        ({"wait": "block"}, 1, "0 0 0 0 0 0"),
        ({"wait": "spin"}, 1, "0 0 0 0 0 0"),
        ({"wait": "block"}, 2, "01 01 01 0 0 0"),
        ({"wait": "block", "cpu": 1}, 2, "1 0 01 0 0 0"),
        ({"wait": "backoff"}, 2, "1 0 01 0 0 0"),
        ({"wait": "spin", "cpu": "none"}, 2, "01 01 01 0 0 0"),
        ({"wait": "spin", "cpu": 0}, 3, "0 12 012 0 0 0"),
        ({"wait": "block", "shadow": 1}, 3, "012 012 012 1 0 0"),
        ({"wait": "block", "shadow": 7}, 3, "012 012 012 0 0 0"),
        ({"wait": "block"}, 4, "3 2 01 0 0 0"),
        ({"wait": "spin", "cpu": 1}, 5, "1 4 023 0 0 0"),
        ({"wait": "spin", "cpu": 9}, 4, "0123 0123 0123 0 0 0"),
    ],
)
def test_every_process_gets_its_cpus(settings: dict[str, Any], count: int, expected: str) -> None:
    given = EngineSettings(**settings)

    found = [cpus_of(name, given, set(range(count))) for name in NAMES]

    assert [set(map(int, each)) for each in expected.split()] == found
