"""A random traffic of payments as journal entries, and its events: what history must come to.

What the rows are compared with is folded from the events one by one, in plain Python and by the words of the
records alone, without any of the projection's own code.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.codes import BY_NUMBER, Code
from engine.payments.command_words import SETTINGS_CLOCK, SETTINGS_HISTORY, SETTINGS_INSTANCE
from engine.payments.forwarding import Processed
from engine.payments.records import (
    COMMAND,
    COMMAND_VERSION,
    FORWARDS,
    JOURNAL_ENTRY,
    LIMITS,
    RULES,
    Clock,
    EventKind,
    Op,
    State,
)
from engine.payments.rule_words import put_rules
from engine.payments.texts import text_words
from gateways.payments.form import PaymentForm
from gateways.payments.forward.forwarder import processed_command
from gateways.payments.forward.reversals import confirmed_command
from gateways.payments.hashing import KEY_BYTES, Hasher
from gateways.payments.operations import OperationForm
from gateways.payments.setup_lines import setup_lines
from tests.engine.payments.building import SMALL

BEGAN_MS = 1_700_000_000_000
DAY_MS = 86_400_000
SET_UP = b"""
{"op":"merchant","merchant":"m1","hold_days":1,"disclose":{"51":"05"}}
{"op":"merchant","merchant":"shop:2","hold_days":7}
{"op":"merchant","merchant":"off","active":false}
{"op":"account","account":1,"balances":{"EUR":100000000,"JPY":100000}}
{"op":"account","account":2,"balances":{"EUR":500000}}
{"op":"account","account":3,"status":"frozen","balances":{"EUR":500000}}
"""
FORWARDED, LATE_MS = 0.2, 200_000
"""The share of payments that go to a processor, and when its answer is late."""
IN_FLIGHT = 3
"""Of these the newest, of which it has said nothing."""
CONFIRMED_BEHIND = 40
"""So many of them later it confirms a reversal, where one is owed."""
PANS = ("4111111111111111", "5500005555555559", "4012888888881881")


@dataclass
class Story:
    """Entries 1 .. n of a seeded traffic, and their events."""

    seed: int
    count: int
    entries: Any = field(init=False)
    events: Any = field(init=False)
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        traffic = Traffic(self.seed)
        for _ in range(self.count):
            traffic.next()
        self.entries = np.zeros(len(traffic.records), JOURNAL_ENTRY)
        self.entries["seq"] = np.arange(1, len(self.entries) + 1)
        self.entries["ring_seq"] = self.entries["seq"] - 1
        self.entries["eng_ts"] = np.array(traffic.times) * 1_000_000
        self.entries["command"] = np.concatenate(traffic.records)
        replica = Replica(payments(SMALL))
        self.events = replica.apply(self.entries)
        self.state = replica.state

    def codes(self) -> Counter[str]:
        """Return how often each code was answered."""
        return Counter(BY_NUMBER[code].name for code in self.events["code"].tolist())


class Traffic:
    """Makes commands; what they are on is chosen among those made before."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ms = BEGAN_MS
        self.records: list[Any] = []
        self.times: list[int] = []
        self.paid: list[tuple[int, dict[str, Any]]] = []
        self.forwarding = random.Random(seed)
        self.forwarded: list[tuple[int, Any]] = []
        hasher = Hasher(bytes(KEY_BYTES))
        self.form = PaymentForm(hasher, Clock.ENGINE, lambda: self.now_ms)
        self.operations = OperationForm(self.form)
        self._put(settings_command())
        for line in setup_lines(SET_UP, hasher):
            for record in line.records:
                self._put(record.reshape(1))
        self._hasher = hasher

    def next(self) -> None:
        """Make one command, most often a payment."""
        rng = self.rng
        self.now_ms += rng.choice((0, 1, 40, 2_000, 30_000))
        if len(self.forwarded) > IN_FLIGHT and self.forwarding.random() < FORWARDED / 2:
            self._answer()
        if rng.random() < 0.002:
            self.now_ms += 2 * DAY_MS  # more holds end at once than leave with one command
        chance = rng.random()
        if chance < 0.55 or not self.paid:
            self._pay()
        elif chance < 0.6:
            self._put(np.frombuffer(self._reversal(), COMMAND))
        elif chance < 0.63:
            self._deposit()
        elif chance < 0.72:
            outcome = rng.choice(("approve", "decline"))
            payment, _ = self._one_of_late()
            self._put(np.frombuffer(self.operations.review(payment, {"outcome": outcome}).record, COMMAND))
        elif chance < 0.74:
            tick = np.zeros(1, COMMAND)
            tick["op"], tick["version"] = Op.TICK, COMMAND_VERSION
            self._put(tick)
        else:
            self._operate()

    def _put(self, record: Any) -> None:
        self.records.append(record)
        self.times.append(self.now_ms)

    def _one_of_late(self) -> tuple[int, dict[str, Any]]:
        return self.rng.choice(self.paid[-40:] if self.rng.random() < 0.9 else self.paid)

    def _pay(self) -> None:
        rng = self.rng
        if self.paid and rng.random() < 0.05:  # a repeat, or a duplicate
            body = dict(rng.choice(self.paid)[1])
            body["amount"] += rng.randrange(2)
        else:
            body = {
                "request_id": f"r{len(self.records)}" + "x" * rng.randrange(3),
                "merchant": rng.choice(("m1", "m1", "m1", "shop:2", "off", "nobody")),
                "op": rng.choice(("authorise", "authorise", "sale")),
                "channel": rng.choice(("ecom", "pos", "moto")),
                "amount": rng.choice((500, 1_000, 20_000, 400_000)),
                "currency": rng.choice(("EUR", "EUR", "EUR", "JPY")),
                "account": rng.choice((1, 1, 1, 1, 2, 3, 4)),
                "card": {"pan": rng.choice(PANS), "expiry": "3012"},
                "score": rng.choice((1, 1, 1, 750)),
                "allow_partial": rng.random() < 0.5,
            }
        record = np.frombuffer(self.form.pay(body).record, COMMAND).copy()
        self.paid.append((len(self.records) + 1, body))
        if self.forwarding.random() < FORWARDED:
            record["options"] |= FORWARDS
            record["payment"] = LATE_MS
            self.forwarded.append((len(self.records) + 1, record))
        self._put(record)
        if len(self.forwarded) > CONFIRMED_BEHIND and self.forwarding.random() < 2 * FORWARDED:
            self._put(np.frombuffer(confirmed_command(self.forwarded.pop(0)[0]), COMMAND))

    def _answer(self) -> None:
        """Let the processor say something of a late payment."""
        payment, record = self.forwarding.choice(self.forwarded[-10 - IN_FLIGHT : -IN_FLIGHT])
        outcome = self.forwarding.choice(tuple(Processed))
        self._put(np.frombuffer(processed_command(record.tobytes(), payment, outcome), COMMAND))

    def _operate(self) -> None:
        rng = self.rng
        payment, _ = self._one_of_late()
        op = rng.choice((Op.CAPTURE, Op.CAPTURE, Op.VOID, Op.REFUND, Op.REFUND))
        body: dict[str, Any] = {"request_id": f"o{rng.randrange(4)}"}
        if rng.random() < 0.7:
            body["amount"] = rng.choice((1, 300, 500, 1_000))
        if op == Op.CAPTURE:
            body["final"] = rng.random() < 0.5
        self._put(np.frombuffer(self.operations.on_payment(op, payment, body).record, COMMAND))

    def _reversal(self) -> bytearray:
        rng = self.rng
        body = {"request_id": f"r{len(self.records) + rng.randrange(4)}", "merchant": "m1"}
        if rng.random() < 0.5:
            paid = self._one_of_late()[1]
            body = {name: paid[name] for name in body}
        return self.operations.reverse(body).record

    def _deposit(self) -> None:
        amount, currency = self.rng.choice((5_000, -5_000, -(10**11))), self.rng.choice(("EUR", "JPY", "BHD"))
        line = '{"op":"deposit","account":%d,"currency":"%s","amount":%d,"id":"d%d"}'
        text = line % (self.rng.choice((1, 2, 9)), currency, amount, self.rng.randrange(50))
        for record in setup_lines(text.encode(), self._hasher)[0].records:
            self._put(record.reshape(1))


def settings_command(has_history: bool = False) -> Any:
    """Return the command that tells the engine its rules: nothing is counted against a card."""
    command = np.zeros(1, COMMAND)
    command["op"], command["version"] = Op.SETTINGS, COMMAND_VERSION
    words = command["words"][0]
    words[SETTINGS_INSTANCE : SETTINGS_INSTANCE + 3] = text_words("a", 3)
    words[SETTINGS_CLOCK] = Clock.ENGINE
    left_out = ("card_1m", "card_1h", "card_declines_1h", "scheme_retry", "double_charge")
    put_rules(words, LIMITS, [name for name in RULES if name not in left_out])
    words[SETTINGS_HISTORY] = has_history
    return command


def standing_of(events: Any) -> dict[int, dict[str, int]]:
    """Return how the events leave each payment, by its number."""
    found: dict[int, dict[str, int]] = {}
    names = ("state", "approved_amount", "captured", "refunded", "held")
    for event in events:
        payment = int(event["payment"])
        if event["kind"] == EventKind.DECIDED and payment == event["seq"]:
            row = found[payment] = {name: int(event[name]) for name in (*names, "code", "rule", "decision")}
            is_captured = row["state"] == State.CAPTURED
            row["captured" if is_captured else "held"] = row["approved_amount"]
        elif event["kind"] == EventKind.SETTLED:
            found[payment] |= {name: int(event[name]) for name in (*names, "code", "decision")}
        elif event["kind"] == EventKind.EXPIRED or (
            event["kind"] == EventKind.MOVED
            and payment
            and event["code"] == Code["OK"]
            and not event["replayed"]
        ):
            found[payment] |= {name: int(event[name]) for name in names}
    return found
