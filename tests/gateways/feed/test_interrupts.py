"""A stop signal waits until a batch is handed over and counted."""

import signal

import pytest

from gateways.feed.interrupts import Interrupts


def test_interrupt_comes_at_once_where_nothing_is_held() -> None:
    interrupts = Interrupts()

    with pytest.raises(KeyboardInterrupt):
        interrupts.take(signal.SIGTERM, None)


def test_interrupt_comes_at_the_end_of_what_is_done_whole() -> None:
    interrupts = Interrupts()
    done = []

    def hand_over() -> None:
        with interrupts:
            interrupts.take(signal.SIGINT, None)
            done.append("counted")

    with pytest.raises(KeyboardInterrupt):
        hand_over()

    assert done == ["counted"]
    with interrupts:
        done.append("next")
