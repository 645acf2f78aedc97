"""A disk without room for the next segment latches in time, and by its own name."""

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from engine.contract.latch import latched_because
from engine.runtime.journal.writer import SPARE_NAME
from engine.settings.config import EngineSettings
from tests.engine.runtime import echo
from tests.engine.runtime.echo import COMMAND, TICK
from tests.engine.runtime.journal.written import UnsyncedDisk
from tests.engine.runtime.live import Live, living

SETTINGS = EngineSettings(command_ring=64, journal_ring=64, event_ring=1024, batch=64, journal_segment=256)
NAMES = ("a", "spare-0"), ("door",)
FRAME_COMMANDS, FRAMES = 50, 5
"""Frames and their heads that fill the first segment to its last slot."""
CAUSES = [(errno.ENOSPC, "the disk is full"), (errno.EIO, "the disk refused a write or a sync")]
Start = Callable[[UnsyncedDisk], Live]


class NoRoom(UnsyncedDisk):
    """Has no room for a spare segment; `meanwhile` is done once, in the next sync of data."""

    def __init__(self, error: int) -> None:
        self._error = error
        self.meanwhile: Callable[[], None] | None = None

    def create(self, path: Path) -> int:
        if path.name == SPARE_NAME:
            raise OSError(self._error, "refused in this test")
        return super().create(path)

    def sync_data(self, file: int) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


class NoZeros(UnsyncedDisk):
    """Has room for a spare segment, and then refuses to write to it."""

    def __init__(self, error: int) -> None:
        self._error = error
        self._spares: set[int] = set()

    def create(self, path: Path) -> int:
        file = super().create(path)
        if path.name == SPARE_NAME:
            self._spares.add(file)
        return file

    def write_part(self, file: int, content: memoryview, offset: int) -> int:
        if file in self._spares:
            raise OSError(self._error, "refused in this test")
        return super().write_part(file, content, offset)

    def close(self, file: int) -> None:
        self._spares.discard(file)
        super().close(file)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as lives:
        yield lambda disk: lives.enter_context(
            living(tmp_path, echo.application(), SETTINGS, *NAMES, disk=disk)
        )


def sequence(live: Live) -> None:
    """Let the worker take a frame's commands."""
    commands = np.zeros(FRAME_COMMANDS, COMMAND)
    commands["op"] = TICK
    live.rings[0].push(commands)
    live.run()


def write_frame(live: Live) -> None:
    """Let the journaler make one step, with a frame's commands before it."""
    sequence(live)
    live.journaler.step(0)
    live.drain()


def latched(live: Live) -> str | None:
    return latched_because(live.segments.journal.control)


@pytest.mark.parametrize(("error", "cause"), CAUSES)
def test_without_room_for_the_next_segment_it_latches_while_the_ring_finds_room(
    start: Start, error: int, cause: str
) -> None:
    live = start(NoRoom(error))
    for _ in range(FRAMES - 2):
        assert latched(live) is None
        write_frame(live)

    assert latched(live) == cause
    assert live.published == live.durable == (FRAMES - 2) * FRAME_COMMANDS


def test_what_the_ring_holds_at_that_moment_is_written_yet(start: Start) -> None:
    disk = NoRoom(errno.ENOSPC)
    live = start(disk)
    for _ in range(FRAMES - 3):
        write_frame(live)
    disk.meanwhile = lambda: sequence(live)

    write_frame(live)
    assert latched(live) == "the disk is full"
    assert live.published > live.durable == (FRAMES - 2) * FRAME_COMMANDS
    while live.journaler.finish():
        pass

    assert live.durable == live.published
    sequence(live)
    assert live.published == live.durable, "nothing more is accepted"


@pytest.mark.parametrize(("error", "cause"), CAUSES)
def test_a_next_segment_that_is_refused_when_it_is_needed_latches(
    start: Start, error: int, cause: str
) -> None:
    live = start(NoZeros(error))
    for _ in range(FRAMES):
        write_frame(live)
    assert latched(live) is None

    write_frame(live)

    assert latched(live) == cause
    assert live.durable == FRAMES * FRAME_COMMANDS
    assert not live.journaler.finish(), "nothing is written after a disk refused"
