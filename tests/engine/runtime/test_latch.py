"""A disk without room for the next segment latches in time, by its own name, whenever that is found out."""

import errno
from collections.abc import Iterator
from pathlib import Path
from threading import Semaphore

import numpy as np
import pytest

from engine.config import EngineSettings
from engine.latch import latched_because
from engine.records import COMMAND, Op
from engine.runtime.journal_writer import SPARE_NAME
from tests.engine.journal.written import UnsyncedDisk
from tests.engine.runtime import echo
from tests.engine.runtime.live import Live, living

SETTINGS = EngineSettings(command_ring=64, journal_ring=64, event_ring=1024, batch=64, journal_segment=256)
NAMES = ("a", "spare-0"), ("door",)
FRAME_COMMANDS, FRAMES = 50, 5
"""Frames and their heads that fill the first segment to its last slot."""
TRY_S_MAX = 60
MANY = 100


class RefusingDisk(UnsyncedDisk):
    """Refuses every spare segment, once the test lets it decide."""

    def __init__(self, error: int) -> None:
        self.decisions = Semaphore(0)
        self.tries = 0
        self._error = error

    def create(self, path: Path) -> int:
        if path.name == SPARE_NAME:
            self.tries += 1
            assert self.decisions.acquire(timeout=TRY_S_MAX)
            raise OSError(self._error, "no room in this test")
        return super().create(path)


@pytest.fixture(
    params=[(errno.ENOSPC, "the disk is full"), (errno.EIO, "the disk refused a write or a sync")]
)
def refusal(request: pytest.FixtureRequest) -> tuple[RefusingDisk, str]:
    error, cause = request.param
    return RefusingDisk(error), cause


@pytest.fixture
def live(tmp_path: Path, refusal: tuple[RefusingDisk, str]) -> Iterator[Live]:
    disk, _ = refusal
    with living(tmp_path, echo.application(), SETTINGS, *NAMES, disk=disk) as live:
        yield live
        disk.decisions.release(MANY)


def write_frame(live: Live) -> None:
    """Let the journaler make one step, with a frame's commands before it."""
    commands = np.zeros(FRAME_COMMANDS, COMMAND)
    commands["op"] = Op.TICK
    live.rings[0].push(commands)
    live.run()
    live.journaler.step(0)
    live.drain()


def latched(live: Live) -> str | None:
    return latched_because(live.segments.journal.control)


def test_a_try_that_goes_on_does_not_hide_that_the_one_before_found_no_room(
    live: Live, refusal: tuple[RefusingDisk, str]
) -> None:
    disk, cause = refusal
    disk.decisions.release()
    while disk.tries < 2:
        live.journaler.step(0)

    for _ in range(FRAMES - 2):
        assert latched(live) is None
        write_frame(live)

    assert latched(live) == cause
    assert live.published == live.durable == (FRAMES - 2) * FRAME_COMMANDS
    assert disk.tries == 2, "a try that goes on is not waited for"


def test_a_first_try_that_fails_when_the_segment_is_used_up_says_why(
    live: Live, refusal: tuple[RefusingDisk, str]
) -> None:
    disk, cause = refusal
    for _ in range(FRAMES):
        write_frame(live)
    assert latched(live) is None
    disk.decisions.release(MANY)

    write_frame(live)

    assert latched(live) == cause
    assert live.durable == FRAMES * FRAME_COMMANDS
