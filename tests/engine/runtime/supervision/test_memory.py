"""A /dev/shm that is full: who died of it and why is told, nothing is lost, and it can be had beforehand."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from engine.runtime.shared_memory import Segments, segment_names
from engine.runtime.supervision.endings import cause_of
from engine.settings.config import EngineSettings
from ringbuf.kernel_cache import ROOT
from tests.engine.runtime import echo
from tests.engine.runtime.echo_instance import SETTINGS
from tests.engine.runtime.supervision.full_shm_story import EVENTS
from tests.private_shm import SIZES_ALLOWED, command

SIZES_MB = [16] if SIZES_ALLOWED else []
SMALL = EngineSettings(
    command_ring=64, journal_ring=64, event_ring=1024, batch=16, journal_segment=256, reserve=True
)


@pytest.mark.parametrize("mebibytes", SIZES_MB)
def test_a_worker_that_dies_of_a_full_shm_says_so_and_goes_on_when_there_is_room(
    tmp_path: Path, mebibytes: int
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()

    done = subprocess.run(
        command(mebibytes, "-m", "tests.engine.runtime.supervision.full_shm_story", str(data_dir)),
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)

    said = "died of SIGBUS: /dev/shm is full (0 bytes free), somebody else filled it; free space there, or"
    assert said in seen["log"]
    assert "engine.reserve = true" in seen["log"]
    [ending] = seen["status"]["endings"]
    assert ending["process"] == "worker"
    assert ending["count"] >= 3
    assert said in ending["cause"]
    assert said in seen["text"]
    assert not seen["status"]["ready"]
    assert "worker" in [each["process"] for each in seen["status"]["troubles"]]
    assert seen["status"]["latched"] is None, "no command is to blame"
    assert "quarantine" not in seen["log"]
    assert seen["mended"]["ready"], seen["mended"]["troubles"]
    assert seen["events_of_large"] == EVENTS
    assert seen["event_count"] == seen["last_event_idx"] + 1, "each event once"
    assert seen["exit"] == 0


def test_reserved_segments_have_their_memory_from_the_start(tmp_path: Path) -> None:
    names = segment_names(tmp_path)
    segments = Segments(names, echo.application(), SMALL, ("a", "spare-0"), ("door",), 1)
    try:
        found = {part: os.stat(f"/dev/shm/{name}") for part, name in names.items()}
    finally:
        segments.unlink()

    assert [part for part, each in found.items() if each.st_blocks * 512 < each.st_size] == []


def test_without_it_the_state_is_only_declared(tmp_path: Path) -> None:
    names = segment_names(tmp_path)
    segments = Segments(names, echo.application(), SETTINGS, ("a", "spare-0"), ("door",), 1)
    try:
        found = os.stat(f"/dev/shm/{names['state']}")
    finally:
        segments.unlink()

    assert found.st_blocks * 512 < found.st_size // 2


STARTS_TWICE = """
import os, sys
from pathlib import Path
from engine.runtime.shared_memory import Segments, segment_names
from ringbuf.segment import SegmentSpaceError
from ringbuf.segment_space import free_bytes
from tests.engine.runtime import echo
from tests.engine.runtime.supervision.test_memory import SMALL

def begin(folder):
    return Segments(segment_names(Path(folder)), echo.application(), SMALL, ("a", "spare-0"), ("door",), 1)

if (child := os.fork()) == 0:
    begin("/one")
    os._exit(0)  # dies without removing its segments
os.waitpid(child, 0)
taken = os.listdir("/dev/shm")
first = begin("/one")
assert sorted(os.listdir("/dev/shm")) == sorted(taken), "in place of the dead one's, whose memory is free"
try:
    begin("/two")
except SegmentSpaceError as error:
    print(error)
assert sorted(os.listdir("/dev/shm")) == sorted(taken), "nothing is left of what was refused"
"""


@pytest.mark.parametrize("mebibytes", [2] if SIZES_ALLOWED else [])
def test_a_reserving_start_that_does_not_fit_is_refused_by_name_and_a_dead_ones_memory_is_freed_first(
    mebibytes: int,
) -> None:
    done = subprocess.run(
        command(mebibytes, "-c", STARTS_TWICE), capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    assert "segment 'pinion-" in done.stdout
    assert "-state' needs 1," in done.stdout
    assert "lower the capacities or enlarge /dev/shm" in done.stdout


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, "died of SIGKILL: by somebody, or by the kernel because memory ran out"),
        (signal.SIGSEGV, "died of SIGSEGV: a fault of ours or of a library"),
        (signal.SIGABRT, "died of SIGABRT: a fault of ours or of a library"),
        (signal.SIGTERM, "died of SIGTERM: somebody sent it"),
        (signal.SIGXFSZ, "died of SIGXFSZ: a limit of file sizes"),
        (signal.SIGBUS, "died of SIGBUS: a page of a mapped file could not be had; /dev/shm has"),
        (signal.SIGRTMIN + 1, f"died of signal {signal.SIGRTMIN + 1}: somebody sent it"),
    ],
)
def test_the_signal_that_killed_a_process_is_named_with_its_likely_cause(number: int, said: str) -> None:
    assert cause_of(int(number)).startswith(said)


def test_an_exit_code_is_told_as_it_is() -> None:
    assert cause_of(3 << 8) == "exit code 3"
