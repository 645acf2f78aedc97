"""Pinion's side of the comparison: bodies become commands, an engine decides them, its events become replies.

Bodies are read and commands decided as a replay does it. Items are asked in batches, since a kernel is called
once a batch; the seq of each command is known before.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np

from engine.payments.capacities import Capacities
from engine.payments.codes import BY_NUMBER, DECLINED
from engine.payments.command_words import SETTINGS_CLOCK, SETTINGS_INSTANCE
from engine.payments.records import COMMAND, COMMAND_VERSION, LIMITS, NOT_GIVEN, RULES, Clock, Op
from engine.payments.rule_words import NO_SOURCE, put_rules
from engine.payments.rules.vocabulary import VOCABULARY
from engine.payments.texts import text_words
from engine.rules.language.source import read
from engine.rules.loader import offer
from gateways.payments.door.routes import PaymentAsk
from gateways.payments.events import PaymentEvent, payment_events
from gateways.payments.hashing import KEY_BYTES, Hasher
from gateways.payments.replies import Replies, Told
from gateways.payments.setup_lines import setup_lines
from gateways.payments.values import FormRefusal
from perf.traffic.items import CAPTURE, PAY, REFUND, REVERSE, REVIEW, SET_UP, VOID, Body, Item, text_of
from pinion.parity.deciding.engine import PrivateEngine
from pinion.parity.deciding.reading import NOBODY, Reading

INSTANCE = "a"
NOW_MS = 2_500_000_000_000
"""The machine's clock, in 2049: no traffic is too far ahead of it."""
CAPACITIES = Capacities(
    accounts=2**14, balances=2**16, merchants=2**12, merchant_currencies=2**14, cards=2**16, pairs=2**16,
    devices=2**15, ips=2**15, emails=2**15, bins=2**16, payments=2**17, operations=2**16, answers=2**18,
    list_entries=2**14,
)  # fmt: skip
"""Room for everything that a short traffic brings, so that nothing gives way that the other side keeps."""
ASKS = {
    PAY: PaymentAsk.PAY,
    CAPTURE: PaymentAsk.CAPTURE,
    VOID: PaymentAsk.VOID,
    REFUND: PaymentAsk.REFUND,
    REVIEW: PaymentAsk.REVIEW,
    REVERSE: PaymentAsk.REVERSE,
}
OF_PAYMENT = (CAPTURE, VOID, REFUND, REVIEW)
BATCH = 512


Reply = dict[str, Any]


class Asked(NamedTuple):
    """An item that was asked: where its command lies among the seqs, or how it was refused."""

    kind: str
    seq: int  # of the last command it took; the last one before where it took none
    request_id: str | None = None
    payment: str | None = None  # the id of the one that an operation is on
    refusal: Reply | None = None


class EngineSide:
    """An engine that decides a traffic; `settings` are those of its rules, `user_rules` a file of them."""

    def __init__(self, settings: Body, capacities: Capacities = CAPACITIES, user_rules: str = "") -> None:
        rules = read(user_rules, VOCABULARY, "rules.py") if user_rules else ()
        command = settings_command(settings, offer(rules) if rules else NO_SOURCE)
        self._engine = PrivateEngine(command.reshape(1), capacities)
        names = tuple(rule.name for rule in rules)
        self.replies = Replies(INSTANCE, lambda ruleset: names)
        self._hasher = Hasher(bytes(KEY_BYTES))
        self._reading = Reading(self._hasher, lambda: NOW_MS)
        self._records = bytearray()
        self._asked: list[Asked] = []
        self.seq = self._engine.seq
        self.payments: list[int] = []
        """By the number of an item the seq of the payment that it asked for, NOBODY of anything else."""

    @property
    def state(self) -> Any:
        """The state of the engine, an array of one record."""
        return self._engine.state

    @property
    def is_full(self) -> bool:
        """Tell whether what was asked is to be answered before more is asked."""
        return len(self._asked) >= BATCH

    def ask(self, item: Item) -> Asked:
        """Read an item, put its commands behind the others, and return what is known of it."""
        before = self.seq
        try:
            request_id = self._read(item)
            payment = self.replies.id_of(self.payment_of(item)) if item.kind in OF_PAYMENT else None
            asked = Asked(item.kind, self.seq, request_id, payment)
        except FormRefusal as refusal:
            told = self.replies.refused(refusal, is_operation=item.kind != PAY)
            asked = Asked(item.kind, before, refusal=document(told))
        self._asked.append(asked)
        self.payments.append(self.seq if item.kind == PAY and asked.refusal is None else NOBODY)
        return asked

    def payment_of(self, item: Item) -> int:
        """Return the number of the payment that an operation is on."""
        return self.payments[item.of] if item.of >= 0 else NOBODY

    def _read(self, item: Item) -> str | None:
        body: Any = item.body
        if item.kind == SET_UP:
            for record in setup_lines(text_of(body).encode(), self._hasher)[0].records:
                self._put(record.tobytes())
            return None
        raw = text_of(body).encode("utf-8", "surrogatepass")
        asked = self._reading.read(ASKS[item.kind], raw, self.payment_of(item))
        self._put(asked.record)
        return asked.request_id

    def _put(self, record: bytes | bytearray) -> None:
        self.seq += 1
        self._records += record

    def answers(self) -> list[Reply]:
        """Decide what was asked since the last time, and return the replies in order."""
        commands = np.frombuffer(bytes(self._records), COMMAND)
        self._records.clear()
        by_seq = {event.seq: event for event in payment_events(self._engine.decide(commands))}
        asked, self._asked = self._asked, []
        return [self._reply(each, by_seq) for each in asked]

    def _reply(self, asked: Asked, by_seq: dict[int, PaymentEvent]) -> Reply:
        if asked.refusal is not None:
            return asked.refusal
        event = by_seq[asked.seq]
        if asked.kind == SET_UP:
            row = BY_NUMBER[event.code]
            return {"code": row.name, "iso": row.iso, "replayed": bool(event.replayed)}
        told, hidden = (
            self.replies.document(
                event, asked.request_id, hides=hides, is_operation=asked.kind != PAY, asked=asked.payment
            )
            for hides in (False, True)
        )
        return with_disclosed(document(told), document(hidden))


def document(told: Told) -> Reply:
    """Return a reply as JSON has it."""
    reply: Reply = msgspec.to_builtins(told.reply)
    reply["matched"] = list(reply["matched"])
    return reply


def with_disclosed(reply: Reply, hidden: Reply) -> Reply:
    """Return a reply, and beside it what one reads instead who is an acquirer alone."""
    is_hidden = hidden["code"] == DECLINED
    assert is_hidden or hidden | {"matched": reply["matched"]} == reply
    assert is_hidden or set(hidden["matched"]) <= set(reply["matched"])
    return {**reply, "disclosed": hidden["iso"] if is_hidden else None}


def order_of(settings: Body) -> tuple[str, ...]:
    """Return the names of the rules that are on, in their order."""
    order = settings.get("order")
    return RULES if order is None else (*RULES[:3], *order, RULES[-1])


def limits_of(settings: Body) -> dict[str, int]:
    """Return the limits of settings, -1 for one that is off."""
    given = {name: settings.get(name, value) for name, value in LIMITS.items()}
    return {name: NOT_GIVEN if value is None else value for name, value in given.items()}


def settings_command(settings: Body, source: bytes = NO_SOURCE) -> np.ndarray:
    """Return the command that tells the engine its rules; source : the hash of its user rules."""
    command = np.zeros((), COMMAND)
    command["op"], command["version"] = Op.SETTINGS, COMMAND_VERSION
    words = command["words"]
    words[SETTINGS_INSTANCE : SETTINGS_INSTANCE + 3] = text_words(INSTANCE, 3)
    words[SETTINGS_CLOCK] = Clock.REQUEST
    put_rules(words, limits_of(settings), order_of(settings), source)
    return command
