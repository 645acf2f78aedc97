"""PostgreSQL and a story to project, as fixtures."""

import pytest

from tests.engine.runtime.history.story import Story
from tests.postgres import dsn, postgres

__all__ = ["dsn", "postgres"]


@pytest.fixture(scope="session")
def story() -> Story:
    """A flow that meets every rule, with the oracle's standing in the middle and at the end."""
    return Story(seed=18, count=3000)
