"""What the supervisor makes of how a process ended."""

import os
import signal
import time

import pytest

from engine.runtime.process import fork
from engine.runtime.supervision.children import Child


def idle() -> int:
    """Run until a signal, as a process that has not come to its handlers yet."""
    time.sleep(60)
    return 0


def fail() -> int:
    return 3


def end_well() -> int:
    return 0


def wait_status(child: Child) -> int:
    return os.waitpid(child.pid, 0)[1]


def test_a_process_that_is_asked_to_end_before_it_can_heed_that_has_obeyed() -> None:
    starting = Child("http", fork("http", idle, ()))

    starting.ask()

    assert starting.has_obeyed(wait_status(starting))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_somebody_else_killed_has_not(number: signal.Signals) -> None:
    child = Child("http", fork("http", idle, ()))

    os.kill(child.pid, number)

    assert not child.has_obeyed(wait_status(child))


def test_a_process_that_is_asked_and_fails_has_not_and_one_that_ends_well_has() -> None:
    failing, well = Child("http", fork("http", fail, ())), Child("http", fork("http", end_well, ()))
    failing.is_asked = well.is_asked = True

    assert not failing.has_obeyed(wait_status(failing))
    assert well.has_obeyed(wait_status(well))
