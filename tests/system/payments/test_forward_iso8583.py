"""A door for ISO 8583 that forwards: its replies come behind the processor's, and its reversals go there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.contract.port import attach_state
from pinion.cli.payments.sample.book import APPROVED, REVERSED
from tests.gateways.iso8583.client import IsoClient, Message, encoded, payment, reversal
from tests.system.payments.iso_running import LOCAL, iso_address, pan_of, set_up_of
from tests.system.payments.processors import RunningProcessor
from tests.system.payments.running import Body, Caller, RunningPayments, write_settings
from tests.system.running import await_true

DEADLINE_MS, DELAY_S = 1500, 3.0
"""What is slow comes behind the deadline, and behind the time that a reply takes without a processor."""
FORWARD = '[payments.forward]\nurl = "{url}"\ndeadline_ms = {deadline_ms}\n'
WAIT_S = 60.0


class Forwarded:
    """An instance with both doors, and its processor."""

    def __init__(self, running: RunningPayments, processor: RunningProcessor) -> None:
        self.running = running
        self.processor = processor

    def client(self) -> IsoClient:
        """Return a new connection to the door for ISO 8583."""
        return IsoClient(iso_address(self.running.data_dir))

    def ask(self, message: Message) -> Message:
        """Return the reply to a message over a connection of its own."""
        with self.client() as client:
            return client.ask(message)

    def shown(self, reply: Message) -> Body:
        """Return what the HTTP door shows of the payment that a reply names."""
        with closing(Caller(self.running.data_dir, self.running.key)) as caller:
            return caller.ask("GET", f"/v1/payments/a-{int(reply['37'])}").reply

    def outcome(self, reply: Message) -> str:
        """Return what the processor has made of that payment."""
        return self.processor.entries[f"a-{int(reply['37'])}"].outcome

    def await_reversed(self, reply: Message) -> None:
        """Wait until the processor has reversed that payment, and nothing is owed."""
        await_true(lambda: self.outcome(reply) == REVERSED, "it is reversed there", WAIT_S)
        await_true(lambda: self.count("owed_count") == 0, "nothing is owed", WAIT_S)

    def count(self, field: str) -> int:
        """Return a number of the live state."""
        return int(attach_state(self.running.data_dir)[0][field])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forwarded]:
    folder = tmp_path_factory.mktemp("forwarded")
    with RunningProcessor(delay_s=DELAY_S) as processor:
        settings = FORWARD.format(url=processor.url, deadline_ms=DEADLINE_MS) + LOCAL
        running = RunningPayments(folder / "data", *write_settings(folder, set_up_of(1), settings), "--lean")
        try:
            running.await_ready()
            yield Forwarded(running, processor)
            assert running.stop() == 0, running.errors.read_text()
        finally:
            running.clean_up()


@pytest.fixture(autouse=True)
def processor_without_faults(door: Forwarded) -> None:
    door.processor.fail()


@pytest.mark.parametrize(("stan", "kind", "state"), [(1, "0100", "open"), (2, "0200", "captured")])
def test_an_approval_is_answered_once_the_processor_gives_its_own(
    door: Forwarded, stan: int, kind: str, state: str
) -> None:
    reply = door.ask(payment(stan, kind, de_2=pan_of(stan)))

    assert (reply["t"], reply["39"], len(reply["38"])) == (f"{kind[:2]}10", "00", 6)
    assert door.outcome(reply) == APPROVED
    assert door.shown(reply)["state"] == state


def test_the_processor_is_sent_the_card(door: Forwarded) -> None:
    reply = door.ask(payment(3, de_2=pan_of(3)))

    entry = door.processor.entries[f"a-{int(reply['37'])}"]
    assert entry.asked == 1
    assert (entry.outcome, door.shown(reply)["code"]) == (APPROVED, "OK")


def test_a_decline_of_the_processor_is_the_reply_and_stays_it(door: Forwarded) -> None:
    door.processor.fail(decline=100)
    message = payment(4, de_2=pan_of(4))

    first = door.ask(message)

    assert (first["39"], first.get("38")) == ("05", None)
    door.processor.fail()
    assert door.ask(message) == first
    assert door.shown(first)["code"] == "PROCESSOR_DECLINED"


def test_without_an_answer_in_time_it_is_down_and_reversed(door: Forwarded) -> None:
    door.processor.fail(slow=100)

    reply = door.ask(payment(5, de_2=pan_of(5)))

    assert reply["39"] == "91"
    assert door.shown(reply)["code"] == "PROCESSOR_DOWN"
    door.await_reversed(reply)


def test_a_repeat_waits_with_the_first(door: Forwarded) -> None:
    door.processor.fail(slow=100)
    message = payment(6, de_2=pan_of(6))
    with door.client() as client:
        client.send(encoded(message) + encoded(message | {"t": "0101"}))
        replies = [client.reply(), client.reply()]

    assert [each["39"] for each in replies] == ["91", "91"]
    assert replies[0]["37"] == replies[1]["37"]
    assert door.processor.entries[f"a-{int(replies[0]['37'])}"].asked == 1


@pytest.mark.parametrize(("stan", "kind"), [(7, "0400"), (8, "0420")])
def test_a_reversal_goes_to_the_processor_too(door: Forwarded, stan: int, kind: str) -> None:
    message = payment(stan, de_2=pan_of(stan))
    paid = door.ask(message)

    reversed_ = door.ask(reversal(message, 100 + stan, kind))

    assert (paid["39"], reversed_["39"]) == ("00", "00")
    door.await_reversed(paid)
    assert door.shown(paid)["state"] == "voided"


def test_a_reversal_of_a_payment_that_is_at_the_processor_answers_both(door: Forwarded) -> None:
    door.processor.fail(slow=100)
    message = payment(9, "0200", de_2=pan_of(9))
    with door.client() as client:
        client.send(encoded(message))
        await_true(lambda: door.count("pending_count") == 1, "the payment is pending", WAIT_S)
        undone = door.ask(reversal(message, 109))
        paid = client.reply()

    assert (undone["39"], paid["39"]) == ("00", "21")
    door.await_reversed(paid)


def test_a_card_number_stays_in_the_door(door: Forwarded) -> None:
    pan = pan_of(10)
    door.ask(payment(10, de_2=pan))

    files = [path for path in Path(door.running.data_dir).rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if pan.encode() in path.read_bytes()]
