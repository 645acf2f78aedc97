"""What living instances have declared is taken, whether they have touched it yet or not.

Each test runs in a /dev/shm of its own that holds SHM_MB.
"""

import subprocess

import pytest

from ringbuf.kernel_cache import ROOT
from tests.private_shm import SIZES_ALLOWED, command

SHM_MB = 100
SIZES = [60] if SIZES_ALLOWED else []
PROLOGUE = """
import os
import sys
from ringbuf.segment import Kind, SegmentSpaceError, create
from ringbuf.segment_space import free_bytes, promised_bytes

MEBIBYTE = "V1048576"
COUNT = int(sys.argv[1])


def attempt(name, count=COUNT, **how):
    try:
        return create(name, Kind.STATE, MEBIBYTE, count, **how)
    except SegmentSpaceError as error:
        print(error)
        return None


"""


def told_by(story: str, mebibytes: int) -> str:
    """Run the story there; return what it prints."""
    done = subprocess.run(
        command(SHM_MB, "-c", PROLOGUE + story, str(mebibytes)),
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("mebibytes", SIZES)
def test_two_instances_are_not_promised_the_same_free_bytes(mebibytes: int) -> None:
    said = told_by(
        """
first = attempt("pinion-one-state")
assert attempt("pinion-two-state") is None
first.slots.view("u1")[:] = 1  # what is touched is not counted twice
assert attempt("pinion-two-state") is None
assert promised_bytes("pinion-") < 2**20
assert attempt("pinion-two-state", 30) is not None
assert sorted(os.listdir("/dev/shm")) == ["pinion-one-state", "pinion-two-state"]
""",
        mebibytes,
    )

    [untouched, touched] = said.splitlines()
    assert "'pinion-two-state' needs 62,918,656 bytes, /dev/shm has 104,8" in untouched
    assert "free, 62,914,560 of them for what running instances have declared" in untouched
    assert "lower the capacities or enlarge /dev/shm" in untouched
    assert "free: lower the capacities" in touched


@pytest.mark.parametrize("mebibytes", SIZES)
def test_what_a_dead_instance_had_declared_is_free(mebibytes: int) -> None:
    told_by(
        """
if (child := os.fork()) == 0:
    attempt("pinion-one-state")
    os._exit(0)
os.waitpid(child, 0)
assert os.listdir("/dev/shm") == ["pinion-one-state"]
assert promised_bytes("pinion-") == 0
assert attempt("pinion-two-state") is not None
""",
        mebibytes,
    )


@pytest.mark.parametrize("mebibytes", SIZES)
def test_a_segment_that_is_being_made_counts_and_foreign_files_do_not(mebibytes: int) -> None:
    told_by(
        """
from ringbuf.segment import process_start

draft = f"/dev/shm/pinion-one-state.{os.getpid()}.{process_start(os.getpid())}"
for path in (draft, "/dev/shm/pinion-foreign", "/dev/shm/other", "/dev/shm/pinion-one-state.999999999.1"):
    with open(path, "wb") as file:
        file.truncate(COUNT * 2**20)
assert promised_bytes("pinion-") == COUNT * 2**20
assert attempt("pinion-two-state") is None
os.unlink(draft)
assert attempt("pinion-two-state") is not None
""",
        mebibytes,
    )


@pytest.mark.parametrize("mebibytes", SIZES)
def test_a_reserved_segment_takes_its_memory_at_once(mebibytes: int) -> None:
    said = told_by(
        """
before = free_bytes()
first = attempt("pinion-one-state", reserve=True)
assert before - free_bytes() == first.header.segment_bytes
assert promised_bytes("pinion-") == 0
with open("/dev/shm/filler", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(2**20))
    except OSError:
        pass
assert free_bytes() == 0
first.slots.view("u1")[:] = 1  # would die of SIGBUS if a page of it were missing
assert attempt("pinion-two-state", 1, reserve=True) is None
""",
        mebibytes,
    )

    assert "'pinion-two-state' needs" in said
    assert "/dev/shm has 0 free" in said
