"""Which tests may run beside each other, where pytest has several workers (`make test` gives it two).

A file's tests stay on one worker, which makes their fixtures once. All that start whole instances
stay on the same worker: on two cores a second instance would make heartbeats late.
"""

from pathlib import Path

import pytest

INSTANCES = ("system", "recorded", "engine/runtime", "gateways/feed")
"""Folders whose tests start whole instances."""
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the group of its file, or of the instances."""
    for item in items:
        name = item.path.relative_to(TESTS).as_posix()
        starts_instance = name.startswith(tuple(f"{folder}/" for folder in INSTANCES))
        item.add_marker(pytest.mark.xdist_group("instances" if starts_instance else name))
