"""Folders of journals as fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.runtime.journal.written import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return a started journal without commands."""
    made = Journal(tmp_path / "journal")
    made.start()
    yield made
    made.close()
