"""COMMANDs of payments as tests make them: hashes are numbers, what is not said is what most have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.codes import Code
from engine.payments.command_words import (
    BALANCE_ROW_WORDS,
    BODY,
    CARD,
    COUNTRY_WORDS,
    DEVICE,
    EMAIL,
    IP,
    KEY,
    LIMIT_ROW_WORDS,
    MERCHANT,
    MERCHANT_ACTIVE,
    MERCHANT_CHANNELS,
    MERCHANT_COUNTRIES,
    MERCHANT_HOLD_DAYS,
    MERCHANT_MCC,
    MERCHANT_STATUS,
    MERCHANT_WORDS,
    OWN_KEY,
    PART_BEGINS,
    PERMIT_WORDS,
    REQUEST_ID,
    RESTORED_APPROVED,
    RESTORED_CAPTURED,
    RESTORED_CODES,
    RESTORED_MATCHED,
    RESTORED_REFUNDED,
    RESTORED_RULESET,
    SETTINGS_CLOCK,
    SETTINGS_HISTORY,
    TRIAL_COMPARES,
    TRIAL_MAX_DISAGREE,
    TRIAL_MIN_SEEN,
    TRIAL_PERCENT,
    TRIAL_STEP_COUNT,
    TRIAL_STEPS,
)
from engine.payments.forwarding import Processed
from engine.payments.records import (
    COMMAND,
    FORWARDS,
    JOURNAL_ENTRY,
    LIMITS,
    NOT_GIVEN,
    RULES,
    AccountStatus,
    Channel,
    Clock,
    Op,
    PayKind,
    State,
)
from engine.payments.rule_words import NO_SOURCE, put_rules
from engine.trials.records import Act

EUR, JPY = 978, 392
EXPONENTS = {EUR: 2, JPY: 0}
SMALL = Capacities(
    accounts=8,
    balances=9,
    merchants=8,
    merchant_currencies=9,
    cards=72,
    pairs=64,
    devices=64,
    ips=64,
    emails=64,
    bins=64,
    payments=160,
    operations=128,
    answers=90,
    list_entries=64,
)
"""One size for all tests: loop and replica are compiled for it once."""
DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
T0 = 20_000 * DAY_MS
"""Midnight, and the beginning of a bucket of every window."""
NAME = 0x6D31
"""Of merchant "1m" in one word; others are counted from here."""


def command(op: Op, **fields: Any) -> Any:
    """Return one COMMAND record; `words` is a mapping from place to value."""
    made = np.zeros(1, COMMAND)
    made["op"], made["version"], made["received_at"], made["payment"] = op, 1, NOT_GIVEN, 0
    for name, value in fields.items():
        if name == "words":
            for place, word in value.items():
                made["words"][0, place] = word
        else:
            made[name] = value
    return made[0]


def settings(
    clock: Clock = Clock.REQUEST, order: Sequence[str] = RULES, has_history: bool = False, **limits: int
) -> Any:
    """Return SETTINGS with these limits and the defaults of the others."""
    values = {**LIMITS, **limits}
    made = command(Op.SETTINGS, words={SETTINGS_CLOCK: clock, SETTINGS_HISTORY: has_history})
    put_rules(made["words"], values, order)
    return made


def ruleset(order: Sequence[str] = RULES, source: bytes = NO_SOURCE, **limits: int) -> Any:
    """Return RULESET of these limits, as `settings` has them; source : the hash of its user rules."""
    made = command(Op.RULESET)
    put_rules(made["words"], {**LIMITS, **limits}, order, source)
    return made


def trial(
    act: Act,
    candidate: int,
    steps: Iterable[tuple[int, int]] = (),
    percent: int = 0,
    max_disagree_ppm: int = -1,
    min_seen: int = 0,
    compares: int = 0,
) -> Any:
    """Return TRIAL; steps: percentages and how long each is held, ms."""
    steps = list(steps)
    words = {TRIAL_MIN_SEEN: min_seen, TRIAL_PERCENT: percent}
    if act in (Act.SHADOW, Act.START):
        words[TRIAL_MAX_DISAGREE] = max_disagree_ppm
    words |= {TRIAL_STEP_COUNT: len(steps), TRIAL_COMPARES: compares}
    for at, value in enumerate([*(step for step, _ in steps), *(hold_ms for _, hold_ms in steps)]):
        words[TRIAL_STEPS + at] = value
    return command(Op.TRIAL, kind=act, payment=candidate, words=words)


def merchant(
    number: int = 0, flags: int = MERCHANT_ACTIVE, hold_days: int = 7, begins: bool = True, **kinds: Any
) -> Any:
    """Return MERCHANT; kinds: channels, card_types (bits), countries (numbers)."""
    words = {0: NAME + number, MERCHANT_STATUS: flags, MERCHANT_HOLD_DAYS: hold_days, MERCHANT_MCC: NOT_GIVEN}
    words[MERCHANT_CHANNELS] = kinds.get("channels", 0) | kinds.get("card_types", 0) << 32
    countries = np.zeros(COUNTRY_WORDS, np.int64)
    for country in kinds.get("countries", ()):
        countries[country >> 6] |= np.int64(1) << (country & 63)
    words |= {MERCHANT_COUNTRIES + place: int(word) for place, word in enumerate(countries)}
    return command(Op.MERCHANT, options=PART_BEGINS if begins else 0, words=words)


def merchant_limits(number: int, rows: Iterable[tuple[int, ...]], begins: bool = True) -> Any:
    """Return MERCHANT_LIMITS; rows: currency, min, max, daily, sca_above, geo_above."""
    words, rows = {0: NAME + number}, list(rows)
    for place, row in enumerate(rows):
        words |= {MERCHANT_WORDS + place * LIMIT_ROW_WORDS + at: value for at, value in enumerate(row)}
    options = PART_BEGINS if begins else 0
    return command(Op.MERCHANT_LIMITS, payment=len(rows), options=options, words=words)


def merchant_permits(number: int) -> Any:
    """Return MERCHANT_PERMITS of every currency."""
    words = {0: NAME + number} | {MERCHANT_WORDS + word: -1 for word in range(PERMIT_WORDS)}
    return command(Op.MERCHANT_PERMITS, options=PART_BEGINS, words=words)


def account_balances(number: int, rows: Iterable[tuple[int, ...]], begins: bool = True) -> Any:
    """Return ACCOUNT_BALANCES; rows: currency, balance, min, max, sum_24h."""
    words, rows = {}, list(rows)
    for place, (currency, *values) in enumerate(rows):
        at = place * BALANCE_ROW_WORDS
        words[at] = currency | EXPONENTS[currency] << 16
        words |= {at + 1 + each: value for each, value in enumerate(values)}
    options = PART_BEGINS if begins else 0
    return command(Op.ACCOUNT_BALANCES, account=number, payment=len(rows), options=options, words=words)


def account(
    number: int = 1, status: AccountStatus = AccountStatus.OPEN, count: int = -1, begins: bool = False
) -> Any:
    """Return ACCOUNT."""
    options = PART_BEGINS if begins else 0
    return command(Op.ACCOUNT, account=number, kind=status, amount=count, options=options)


def funded(number: int = 1, balances: Mapping[int, int] | None = None) -> list[Any]:
    """Return the commands of an open account with these balances and no limits."""
    rows = [(currency, amount, -1, -1, -1) for currency, amount in (balances or {EUR: 10**9}).items()]
    return [account_balances(number, rows), account(number)]


def pay(number: int, at: int = NOT_GIVEN, **given: Any) -> Any:
    """Return a PAY whose request has this number.

    given : fields of COMMAND, and merchant, card, device, ip, email, key, body (numbers), sale
    """
    words = {REQUEST_ID: 0x30 + number % 10, MERCHANT: NAME + given.pop("merchant", 0)}
    words |= {KEY: given.pop("key", 1000 + number), KEY + 1: 1, BODY: given.pop("body", number), BODY + 1: 1}
    for name, place in (("card", CARD), ("device", DEVICE), ("ip", IP), ("email", EMAIL)):
        value = given.pop(name, 5000 + number if name == "card" else 0)
        words |= {place: value, place + 1: 1 if value else 0}
    fields = {"amount": 1000, "account": 1, "currency": EUR, "channel": Channel.POS, "expiry": 12 * 40}
    fields |= dict.fromkeys(("score", "issuer_country", "ip_country", "card_type"), NOT_GIVEN)
    fields |= {"cvv_result": NOT_GIVEN, "avs_result": NOT_GIVEN, "bin": NOT_GIVEN}
    fields["kind"] = PayKind.SALE if given.pop("sale", False) else PayKind.AUTHORISE
    fields |= given
    fields["exponent"] = EXPONENTS.get(fields["currency"], 2)
    return command(Op.PAY, received_at=at, words=words, **fields)


def operation(op: Op, payment: int, number: int, at: int = NOT_GIVEN, **given: Any) -> Any:
    """Return a CAPTURE, VOID, REFUND or REVIEW of a payment; number: of its request."""
    words = {KEY: 1 + number, KEY + 1: 7, BODY: given.pop("body", number), BODY + 1: 7}
    return command(op, payment=payment, received_at=at, words=words, **{"amount": NOT_GIVEN, **given})


def forwarded(number: int, at: int = NOT_GIVEN, limit_ms: int = 2000, **given: Any) -> Any:
    """Return a PAY that is forwarded to a processor, which has so long for its answer."""
    return pay(number, at, options=given.pop("options", 0) | FORWARDS, payment=limit_ms, **given)


def processed(payment: int, outcome: Processed, number: int = 0, **given: Any) -> Any:
    """Return what a processor says of a payment; number: of its request, which had a card of its own."""
    words = {MERCHANT: NAME, CARD: given.pop("card", 5000 + number), CARD + 1: 1}
    return command(Op.PROCESSED, payment=payment, kind=outcome, words=words, **{"bin": NOT_GIVEN, **given})


def reverse(number: int, at: int = NOT_GIVEN, merchant: int = 0) -> Any:
    """Return a void of the request with this number."""
    words = {MERCHANT: NAME + merchant, KEY: 1000 + number, KEY + 1: 1, OWN_KEY: 1, OWN_KEY + 1: 9}
    return command(Op.REVERSE, received_at=at, words=words)


def deposit(number: int, amount: int, **given: Any) -> Any:
    """Return a DEPOSIT whose id is this number."""
    words = {KEY: 90_000 + number, KEY + 1: 3, BODY: amount, BODY + 1: 3}
    fields = {"account": 1, "currency": EUR, "exponent": 2, **given}
    return command(Op.DEPOSIT, amount=amount, words=words, **fields)


def restored(payment: int) -> Any:
    """Return a RESTORE: of 900 that were approved 700 were captured, of these 100 refunded."""
    words = {
        REQUEST_ID: 0x39,
        MERCHANT: NAME,
        RESTORED_APPROVED: 900,
        RESTORED_CAPTURED: 700,
        RESTORED_REFUNDED: 100,
        RESTORED_MATCHED: 0,
        RESTORED_CODES: Code.OK | State.CAPTURED << 24 | 1 << 32,
        RESTORED_RULESET: 1,
    }
    return command(Op.RESTORE, payment=payment, account=1, amount=1000, currency=EUR, exponent=2, words=words)


class Engine:
    """A private engine: it takes commands one after the other and returns their events."""

    def __init__(self, capacities: Capacities = SMALL, *first: Any, state: Any = None) -> None:
        self.application = payments(capacities)
        self.replica = Replica(self.application, state)
        self.eng_ts = 1
        self.tell(*(first or (settings(), merchant(), *funded())))

    @property
    def s(self) -> Any:
        """The state record."""
        return self.replica.state[0]

    def tell(self, *commands: Any) -> Any:
        """Apply commands; return their events."""
        entries = np.zeros(len(commands), JOURNAL_ENTRY)
        for entry, each in zip(entries, commands, strict=True):
            entry["command"] = each
        entries["seq"] = self.replica.seq + 1 + np.arange(len(commands))
        entries["eng_ts"] = self.eng_ts
        return self.replica.apply(entries)

    def one(self, each: Any) -> Any:
        """Apply a command that makes one event; return that."""
        (event,) = self.tell(each)
        return event
