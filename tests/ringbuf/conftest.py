"""Segment names of one test, and the proof that it left none behind."""

import itertools
import os
from collections.abc import Iterator

import pytest

_numbers = itertools.count()


@pytest.fixture
def segment_name() -> Iterator[str]:
    """Return a name no other test uses; fail when anything of that name is left in /dev/shm."""
    name = f"ringbuf-test-{os.getpid()}-{next(_numbers)}"
    yield name
    left = [entry for entry in os.listdir("/dev/shm") if entry.startswith(name)]
    for entry in left:
        os.unlink(f"/dev/shm/{entry}")
    assert left == []
