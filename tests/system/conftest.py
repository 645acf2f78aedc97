"""Whole instances as a fixture: `start(...)` begins one, the end of the test ends it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(*options: str, data_dir: Path = tmp_path / "data", **settings: Any) -> Running:
        started.append(Running(data_dir, *options, **settings))
        return started[-1]

    yield begin
    for each in started:
        each.clean_up()
