"""PostgreSQL and a story to project, as fixtures."""

import pytest

from tests.engine.payments.history.story import Story
from tests.postgres import dsn, postgres

__all__ = ["dsn", "postgres"]


@pytest.fixture(scope="session")
def story() -> Story:
    """A traffic that meets most codes, every state and every operation."""
    return Story(seed=3, count=6000)
