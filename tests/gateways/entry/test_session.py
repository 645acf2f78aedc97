"""A session of any protocol: what it hears, what waits to be written, what the engine is told at its end."""

from typing import Any

import pytest

from gateways.entry.session import LAPPED_REASON, Session
from gateways.json_lines.events import EventWords


class TagSession(Session):
    """A session of a protocol that names an order and nothing else."""

    def report(self, event: EventWords) -> None:
        self.send(b"37=%d" % event.maker_order_id)


@pytest.fixture
def session(door: Any) -> TagSession:
    session = TagSession(door.trader, 11, door.desk, door.spoken.append)
    session.begin()
    return session


def rest(door: Any, order: Any, number: int) -> Any:
    """Enter an order of a session of that number, as any protocol does."""
    answers: list[Any] = []
    door.desk.submit(door.trader, number, order(side="sell", account=2), answers.append)
    door.turn()
    return answers[0].order_id


def test_session_hears_of_its_maker_fills_in_its_own_protocol(door: Any, order: Any, session: Any) -> None:
    order_id = rest(door, order, session.number)

    door.ask(order())

    assert session.outbox == [b"37=%d" % order_id]


def test_who_writes_is_called_once_until_the_outbox_is_taken(door: Any, session: Any) -> None:
    session.send(b"one")
    session.send(b"two")
    assert door.spoken == [session]

    session.outbox = []
    session.send(b"three")

    assert door.spoken == [session, session]


def test_ended_session_hears_nothing_and_the_engine_is_told(door: Any, order: Any, session: Any) -> None:
    rest(door, order, session.number)

    session.end()
    door.desk.dispatcher.flush()
    told = [int(command[0]["session"]) for command in door.gate.submitted]
    door.ask(order())

    assert told == [session.number]
    assert session.outbox == []


def test_session_whose_reports_are_lost_has_to_end(door: Any, session: Any) -> None:
    door.gate.laps += 1
    door.turn()

    assert session.ended_because == LAPPED_REASON
    assert door.spoken == [session]
