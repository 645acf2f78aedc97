"""A whole instance that forwards to a processor with every fault: each payment ends as both sides have it."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.payments.kernels.digest import used_of
from engine.payments.records import State
from pinion.cli.payments.sample.book import REVERSED
from tests.system.payments.processors import RunningProcessor
from tests.system.payments.running import Answer, Body, Caller, RunningPayments, write_settings
from tests.system.payments.tools import digest_at, pinion, state_at
from tests.system.running import await_true

PAYMENTS = "/v1/payments"
DEADLINE_MS, DELAY_S = 2000, 4.0
"""What is slow or late comes behind the deadline; what is neither comes before it on a busy machine too."""
SETTINGS = """
[payments.forward]
url = "{url}"
deadline_ms = {deadline_ms}
[payments.rules]
card_1m = "off"
card_1h = "off"
double_charge_ms = "off"
card_declines_1h = "off"
device_cards_24h = "off"
ip_cards_1h = "off"
"""
SET_UP = [
    {"op": "merchant", "merchant": "m1"},
    {"op": "account", "account": 1, "balances": {"EUR": 1_000_000}},
]
PAN = "4012888888881881"
PATIENT = {"Pinion-Deadline-Ms": "30000"}
WAIT_S = 60.0
Start = Callable[..., RunningPayments]


def payment(request_id: str, **changes: Any) -> Body:
    """Return the body of a payment."""
    return {
        "request_id": request_id, "merchant": "m1", "channel": "pos", "amount": 1000, "currency": "EUR",
        "account": 1, "card": {"pan": PAN, "expiry": "9912"}, **changes,
    }  # fmt: skip


class Forwarded:
    """An instance, its processor, and what is asked of them."""

    def __init__(self, start: Start, folder: Path, processor: RunningProcessor) -> None:
        self.data_dir = folder / "data"
        self.processor = processor
        settings = SETTINGS.format(url=processor.url, deadline_ms=DEADLINE_MS)
        self._options = write_settings(folder, "\n".join(map(json.dumps, SET_UP)), settings)
        self._start = start
        self.begin()

    def begin(self) -> None:
        """Start the instance, or start it again."""
        self.running = self._start(*self._options, data_dir=self.data_dir)
        self.running.await_ready()

    def ask(self, method: str, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Ask by a connection of its own."""
        with closing(Caller(self.data_dir, self.running.key, WAIT_S)) as caller:
            return caller.ask(method, f"{PAYMENTS}{path}", body, PATIENT | headers)

    def pay(self, request_id: str, **changes: Any) -> Body:
        """Ask for a payment; return the reply, which is a decision."""
        answer = self.ask("POST", "", payment(request_id, **changes))
        assert answer.status == 200, answer
        return answer.reply

    def pay_until_approved(self, request_id: str) -> Body:
        """Ask for payments until the processor is asked again, and approves one; return its reply."""
        replies: list[Body] = []

        def is_approved() -> bool:
            replies.append(self.pay(f"{request_id}-{len(replies)}"))
            return bool(replies[-1]["code"] == "OK")

        await_true(is_approved, "the processor is found again", WAIT_S)
        return replies[-1]

    def shown(self, name: str) -> Body:
        """Return what GET shows of a payment."""
        return self.ask("GET", f"/{name}").reply

    def held(self) -> tuple[int, int]:
        """Return total and held of the account."""
        found = self.ask("GET", "/accounts/1").reply["balances"]["EUR"]
        return found["total"], found["held"]

    def await_reversed(self, *names: str) -> None:
        """Wait until the processor has reversed payments and the engine owes it nothing."""
        entries = self.processor.entries

        def is_so() -> bool:
            nonlocal entries
            entries = self.processor.entries
            return all(name in entries and entries[name].outcome == REVERSED for name in names)

        await_true(is_so, f"{names} are reversed at the processor", WAIT_S)

    def stopped_state(self) -> Any:
        """Stop the instance; return the state of its journal, which worker and shadow had too."""
        await_true(lambda: self.status()["reversals_owed"] == 0, "nothing is owed", WAIT_S)
        told = json.loads(pinion("digest", "--data", str(self.data_dir), "--wait", str(WAIT_S)))
        assert self.running.stop() == 0, self.running.errors.read_text()
        assert digest_at(self.data_dir, told["seq"]) == told["digest"]
        return state_at(self.data_dir, told["seq"])[0]

    def status(self) -> dict[str, int]:
        """Return the numbers of the application in `pinion payments status`."""
        found: dict[str, int] = json.loads(
            pinion("payments", "status", "--json", "--data", str(self.data_dir))
        )
        return found


@pytest.fixture
def forwarded(start: Start, tmp_path: Path) -> Iterator[Forwarded]:
    with RunningProcessor(delay_s=DELAY_S) as processor:
        yield Forwarded(start, tmp_path, processor)


def states_of(state: Any) -> dict[str, State]:
    """Return the state of every payment, by its id."""
    rows = state["payments"][: used_of(state, "payments")]
    return {f"a-{int(row['payment'])}": State(int(row["state"])) for row in rows}


def test_every_fault_of_a_processor_ends_as_both_sides_have_it(forwarded: Forwarded) -> None:
    f, processor = forwarded, forwarded.processor

    held = f.pay("open")
    assert (held["code"], held["state"], held["replayed"]) == ("OK", "open", False)
    assert held["approval"] is not None
    sold = f.pay("sold", op="sale")
    assert (sold["state"], f.held()) == ("captured", (999_000, 1000))
    assert f.pay("sold", op="sale") == {**sold, "replayed": True}
    assert [processor.entries[each["payment"]].asked for each in (held, sold)] == [1, 1]

    processor.fail(decline=100)
    declined = f.pay("declined")
    assert (declined["code"], declined["iso"], declined["state"]) == ("PROCESSOR_DECLINED", "05", "declined")
    assert (declined["retry"], declined["approved_amount"], declined["approval"]) == ("LATER", 0, None)
    assert f.pay("declined") == {**declined, "replayed": True}
    assert f.shown(declined["payment"])["code"] == "PROCESSOR_DECLINED"

    down = {}
    for fault in ("slow", "late", "forget", "reset", "lose", "down"):
        processor.fail(**{fault: 100})
        down[fault] = reply = f.pay(fault)
        assert (reply["code"], reply["iso"], reply["state"]) == ("PROCESSOR_DOWN", "91", "declined"), fault
        processor.fail()
        f.await_reversed(reply["payment"])
        f.pay(f"well-again-behind-{fault}")
    processor.fail(twice=100)
    twice = [f.pay(f"twice-{number}") for number in range(3)]
    assert twice[0]["code"] == "OK"
    # The second answer may meet the next payment on its connection: it is none of it, so nothing is known.
    assert {each["code"] for each in twice} <= {"OK", "PROCESSOR_DOWN"}
    processor.fail()
    f.await_reversed(*(each["payment"] for each in twice if each["code"] != "OK"))

    processor.stop()
    gone = [f.pay(f"gone-{number}") for number in range(8)]
    assert {each["code"] for each in gone} == {"PROCESSOR_DOWN"}
    assert not {each["payment"] for each in gone} & processor.entries.keys()
    processor.start()

    voided = f.pay_until_approved("voided")
    assert f.ask("POST", f"/{voided['payment']}/void", {"request_id": "v"}).reply["state"] == "voided"
    f.await_reversed(voided["payment"])
    kept = {each["payment"] for each in (held, sold, twice[0])}
    state = f.stopped_state()
    states = states_of(state)
    live = {name for name, each in states.items() if each in (State.OPEN, State.CAPTURED)}
    assert live == processor.approved
    assert kept <= live
    assert state["balances"][0]["held"] == 1000 * sum(each == State.OPEN for each in states.values())
    assert not any(entry.asked > 1 for entry in processor.entries.values())
