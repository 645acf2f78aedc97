"""The echo engine as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.runtime.bench import Bench, running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running(tmp_path) as made:
        yield made
