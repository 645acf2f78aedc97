"""The limiters at the door for ISO 8583: RATE has no response code, so both are answered 91."""

from typing import Any

import pytest

from gateways.payments.door.limiters import NO_LIMITS
from tests.gateways.iso8583.client import LENGTH_BYTES, Message, decoded, encoded, payment, reversal
from tests.gateways.iso8583.wired import IsoDoor, owners

NO_PAYMENT = {"t": "0100", "2": "x"}
ECHO = {"t": "0800", "7": "1129120000", "11": "000009", "70": "301"}


def door_with(**limits: Any) -> IsoDoor:
    refusing = {name: {"log_only": False} | each for name, each in limits.items()}
    return IsoDoor(limits={**NO_LIMITS, **refusing})


@pytest.mark.parametrize("message", [payment(), ECHO, NO_PAYMENT], ids=lambda each: each["t"])
def test_beyond_its_rate_a_peer_is_answered_91(message: Message) -> None:
    door = door_with(rate={"per_second": 1, "burst": 1})

    first, again = door.ask(message)["39"], door.ask(message)["39"]
    other = door.ask(message, "other")["39"]
    door.now += 1.0

    assert (first == "91", again, other == "91") == (False, "91", False)
    assert door.ask(message)["39"] == first


def test_every_reply_makes_room_for_the_next_message() -> None:
    door = door_with(concurrency={"per_key": 1})
    paid = payment(kind="0200")
    foreign = payment(3, de_42="m9".ljust(15))

    told = [door.ask(each)["39"] for each in (paid, reversal(paid), ECHO, foreign, NO_PAYMENT)]

    assert told == ["00", "00", "00", "03", "30"]


def test_reversals_go_on_where_payments_are_shed() -> None:
    door = door_with(shedding={"max_in_flight": 5})
    paid = payment()
    assert door.ask(paid)["39"] == "00"
    waiting: list[bytes] = []
    for number in range(4):
        message = encoded(payment(10 + number))[LENGTH_BYTES:]
        door.desk.submit(owners()["acquirer"], message, waiting.append)

    sent: list[bytes] = []
    door.desk.submit(owners()["acquirer"], encoded(payment(20))[LENGTH_BYTES:], sent.append)
    shed = len(sent)
    reversed_ = door.ask(reversal(paid))["39"]

    assert (shed, decoded(sent[0][LENGTH_BYTES:])["39"], reversed_) == (1, "91", "00")
    assert len(waiting) == 4
