"""Whole instances of payments as a fixture: `start(...)` begins one for a test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.payments.running import RunningPayments


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningPayments]]:
    started: list[RunningPayments] = []

    def begin(*options: str, data_dir: Path = tmp_path / "data", **settings: Any) -> RunningPayments:
        started.append(RunningPayments(data_dir, *options, **settings))
        return started[-1]

    yield begin
    for each in started:
        each.clean_up()
