"""Whole instances as fixtures: `start(...)` begins one for a test, `shared` is one for a module."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import Running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One instance for all tests of a module that leave it as they found it; it is ready."""
    running = Running(tmp_path_factory.mktemp("shared") / "data")
    try:
        running.await_ready()
        yield running
        assert running.stop() == 0
    finally:
        running.clean_up()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(*options: str, data_dir: Path = tmp_path / "data", **settings: Any) -> Running:
        started.append(Running(data_dir, *options, **settings))
        return started[-1]

    yield begin
    for each in started:
        each.clean_up()
