"""Large segments lie where huge pages can, take no memory for it, and end with their last view."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringbuf.huge_pages import HUGE_BYTES, huge_bytes
from ringbuf.segment import Kind, attach, create

RECORD = np.dtype([("a", "<i8"), ("b", "<i8", (15,))])
CAPACITY = 5 * HUGE_BYTES // RECORD.itemsize
"""With the header it is a little more than five huge pages."""


def mappings(name: str) -> int:
    """Return how many mappings of a segment this process has."""
    return sum(name in line for line in Path("/proc/self/maps").read_text().splitlines())


def blocks_bytes(name: str) -> int:
    return os.stat(f"/dev/shm/{name}").st_blocks * 512


@pytest.mark.parametrize("reserve", [True, False])
def test_a_large_segment_lies_at_a_multiple_of_a_huge_page(segment_name: str, reserve: bool) -> None:
    with create(segment_name, Kind.STATE, RECORD, CAPACITY, reserve=reserve) as made:
        other = attach(segment_name, Kind.STATE, RECORD, readonly=True)
        made.slots["a"] = np.arange(CAPACITY)

        assert (made.control.ctypes.data - 1024) % HUGE_BYTES == 0
        assert (other.control.ctypes.data - 1024) % HUGE_BYTES == 0
        assert other.readonly
        assert (other.slots["a"] == np.arange(CAPACITY)).all()
        with pytest.raises(ValueError, match="read-only"):
            other.slots["a"][0] = 1


def test_a_mapping_ends_with_its_last_view(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, CAPACITY) as made:
        view: Any = attach(segment_name, Kind.STATE, RECORD).slots["a"][7:]
        gc.collect()
        assert mappings(made.name) == 2

        del view
        gc.collect()

        assert mappings(made.name) == 1


def test_huge_pages_of_a_reserved_segment_take_no_more_memory(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, CAPACITY, reserve=True) as made:
        told = huge_bytes(os.getpid(), [segment_name])

        assert told is not None
        resident, huge = told
        assert made.header.segment_bytes <= resident < made.header.segment_bytes + 4096
        assert huge in (0, 5 * HUGE_BYTES)  # all of it, or a machine that makes none
        assert blocks_bytes(segment_name) == resident


def test_huge_pages_are_not_made_of_what_was_never_touched(segment_name: str) -> None:
    with create(segment_name, Kind.STATE, RECORD, CAPACITY) as made:
        made.slots["a"][CAPACITY // 2] = 1

        # A page, or a huge one where the machine makes these at the first touch.
        assert blocks_bytes(segment_name) <= HUGE_BYTES + 8192


WITHOUT_ROOM = """
import resource, sys
import numpy as np
from ringbuf.huge_pages import HUGE_BYTES
from ringbuf.segment import Kind, create

taken = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (taken + 11 * HUGE_BYTES // 2, resource.RLIM_INFINITY))
with create(sys.argv[1], Kind.STATE, "<i8", 4 * HUGE_BYTES // 8) as made:
    made.slots[:] = 3
    print(int(made.slots.sum()))
"""


def test_without_addresses_to_spare_a_segment_is_mapped_anywhere(segment_name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROOM, segment_name], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) == 3 * 4 * HUGE_BYTES // 8


def test_of_a_process_that_has_ended_nothing_is_told() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert huge_bytes(ended.pid, ["pinion"]) is None
