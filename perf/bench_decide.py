"""Tier `decide`: payments decided on one core, without rings: gather, all base rules, hold, remember, event.

A hundred thousand cards pay in turn at ten merchants, each with a device and an address of its own, until
every one of them is in the state; then the measured payments come. All are decided under the base rules,
alone, with another set in shadow beside them, and with three user rules;
what they come to is checked: every one approved, what is held is the sum of what was approved, and runs
of the same commands on fresh states make the same events. Mean and percentiles come from separate runs,
as in the tier `step`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.replica import Replica
from engine.payments.application import payments
from engine.payments.capacities import Capacities
from engine.payments.codes import Code
from engine.payments.command_words import (
    BODY,
    CARD,
    DEVICE,
    IP,
    KEY,
    MERCHANT,
    MERCHANT_ACTIVE,
    MERCHANT_HOLD_DAYS,
    MERCHANT_MCC,
    MERCHANT_STATUS,
    PART_BEGINS,
    REQUEST_ID,
    SETTINGS_CLOCK,
    TRIAL_MAX_DISAGREE,
)
from engine.payments.records import (
    COMMAND,
    JOURNAL_ENTRY,
    LIMITS,
    NOT_GIVEN,
    RULES,
    AccountStatus,
    CardType,
    Channel,
    CheckResult,
    Clock,
    Op,
    PayKind,
)
from engine.payments.rule_words import put_rules
from engine.payments.rules.vocabulary import VOCABULARY
from engine.rules.language.source import read
from engine.rules.loader import offer
from engine.trials.records import Act
from perf.bench_step import BenchError, one_core
from perf.histogram import percentiles
from perf.result import Line, with_latencies
from ringbuf.atomics import clock_monotonic_ns
from ringbuf.cycles import CYCLE_BITS, cycle_ns

CARDS, ACCOUNTS, MERCHANTS = 100_000, 20_000, 10
EUR, EXPONENT = 978, 2
CHUNK = 512
"""Commands between two readings, as in the tier `step`."""
STEP_NS = 10_000_000
"""Engine time between two payments: a card pays every quarter of an hour or so, below every limit."""
BEGIN_NS = 1_700_000_000_000_000_000
REPETITIONS = 3
USER_RULES = """
from pinion import DECLINE, MOTO, NOT_GIVEN, REVIEW, country, rule


@rule("round_night", code="USER_RULE", action=DECLINE, params={"max": 50000})
def round_night(p, ctx, params):
    hour = p.ts_ms // 3600000 % 24
    return hour < 5 and p.amount > params.max and p.amount % 10000 == 0


@rule("abroad_in_a_hurry", code="REVIEW", action=REVIEW, params={"attempts": 2})
def abroad_in_a_hurry(p, ctx, params):
    if p.issuer_country == NOT_GIVEN or p.ip_country == NOT_GIVEN:
        return False
    is_abroad = p.issuer_country != p.ip_country and p.ip_country != country("DE")
    return is_abroad and ctx.card_1h > params.attempts


@rule("large_by_phone", code="USER_RULE", action=DECLINE, params={"units": 2000})
def large_by_phone(p, ctx, params):
    return p.channel == MOTO and p.amount > max(0, min(params.units, 10**9)) * 100
"""
NO_CYCLES = np.zeros(0, np.int64)

Commands = npt.NDArray[np.void]


def set_up() -> Commands:
    """Return the rules at their defaults, merchants, and accounts with money."""
    rules = np.zeros(1, COMMAND)
    words = rules["words"][0]
    rules["op"], words[SETTINGS_CLOCK] = Op.SETTINGS, Clock.ENGINE
    put_rules(words, LIMITS, RULES)
    merchants = np.zeros(MERCHANTS, COMMAND)
    merchants["op"], merchants["options"] = Op.MERCHANT, PART_BEGINS
    merchants["words"][:, 0] = merchant_names(np.arange(MERCHANTS))
    merchants["words"][:, MERCHANT_STATUS] = MERCHANT_ACTIVE
    merchants["words"][:, MERCHANT_HOLD_DAYS], merchants["words"][:, MERCHANT_MCC] = 7, NOT_GIVEN
    accounts = np.zeros((ACCOUNTS, 2), COMMAND)
    accounts["account"] = 1 + np.arange(ACCOUNTS)[:, None]
    parts, whole = accounts[:, 0], accounts[:, 1]
    parts["op"], parts["options"], parts["payment"] = Op.ACCOUNT_BALANCES, PART_BEGINS, 1
    parts["words"][:, 0], parts["words"][:, 1] = EUR | EXPONENT << 16, 10**12
    parts["words"][:, 2:5] = NOT_GIVEN
    whole["op"], whole["kind"], whole["amount"] = Op.ACCOUNT, AccountStatus.OPEN, NOT_GIVEN
    return np.concatenate([rules, merchants, accounts.ravel()])


def nothing() -> Commands:
    """Return commands that change nothing."""
    return np.zeros(2, COMMAND)


def ruled() -> Commands:
    """Return a set with three user rules that none of these payments matches, and what lets it govern."""
    made = np.zeros(2, COMMAND)
    made["op"], made["payment"][1] = (Op.RULESET, Op.ACTIVATE), 2
    put_rules(made["words"][0], LIMITS, RULES, offer(read(USER_RULES, VOCABULARY, "rules.py")))
    return made


def tried() -> Commands:
    """Return a set by which these payments are decided alike, and what lets it judge in shadow."""
    made = np.zeros(2, COMMAND)
    made["op"], made["kind"][1], made["payment"][1] = (Op.RULESET, Op.TRIAL), Act.SHADOW, 2
    put_rules(made["words"][0], LIMITS | {"score_review": 600}, RULES)
    made["words"][1, TRIAL_MAX_DISAGREE] = NOT_GIVEN
    return made


def merchant_names(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the first word of names of two digits."""
    return 0x3030 + (numbers % 10) * 256


def authorises(count: int, seed: int = 1) -> Commands:
    """Return authorises of every card in turn, each with its device and address; amounts differ."""
    rng = np.random.default_rng(seed)
    made = np.zeros(count, COMMAND)
    for name in ("received_at", "score", "issuer_country", "ip_country", "avs_result"):
        made[name] = NOT_GIVEN
    made["op"], made["kind"], made["channel"] = Op.PAY, PayKind.AUTHORISE, Channel.ECOM
    made["card_type"], made["cvv_result"] = CardType.DEBIT, CheckResult.MATCH
    made["expiry"], made["bin"], made["bin_digits"] = 12 * 60, 41111111, 8
    made["currency"], made["exponent"] = EUR, EXPONENT
    made["account"] = rng.integers(1, ACCOUNTS + 1, count)
    made["amount"] = 200 + np.arange(count) // CARDS + rng.integers(0, 9000, count) // 1000 * 1000
    words = made["words"]
    words[:, REQUEST_ID] = 0x3030303030303030 + np.arange(count) % 10
    words[:, MERCHANT] = merchant_names(rng.integers(0, MERCHANTS, count))
    words[:, KEY : BODY + 2] = rng.integers(1, 2**62, (count, 4))
    hashes = rng.integers(-(2**62), 2**62, (CARDS, 6))
    order = np.concatenate([rng.permutation(CARDS) for _ in range(-(-count // CARDS))])[:count]
    for at, place in enumerate((CARD, DEVICE, IP)):
        words[:, place : place + 2] = hashes[order, 2 * at : 2 * at + 2]
    return made


SHADOW = "shadow"
RULED_BY = {"base": nothing, SHADOW: tried, "user-rules": ruled}


def entries_of(commands: Commands, first_seq: int, begin_ns: int, step_ns: int) -> Commands:
    """Return commands as a journal has them."""
    entries = np.zeros(len(commands), JOURNAL_ENTRY)
    entries["command"] = commands
    entries["seq"] = first_seq + np.arange(len(commands))
    entries["eng_ts"] = begin_ns + np.arange(len(commands)) * step_ns
    return entries


class DecideBench:
    """A state with merchants, accounts and cards, and the payments to be measured."""

    def __init__(self, count: int) -> None:
        self.count = count
        rows = CARDS + count + CHUNK
        self.application = payments(Capacities(payments=max(rows, 2**20)))
        begun = set_up()
        self.begun = entries_of(begun, 1, BEGIN_NS, 0)
        paid = authorises(CARDS + count)
        warm, measured = np.split(paid, [CARDS])
        first = 1 + len(begun)
        self.warm = entries_of(warm, first, BEGIN_NS, STEP_NS)
        behind_ns = BEGIN_NS + CARDS * STEP_NS
        self.ruled_by = {
            name: entries_of(each(), first + CARDS, behind_ns, 0) for name, each in RULED_BY.items()
        }
        self.entries = entries_of(measured, first + CARDS + 2, behind_ns, STEP_NS)
        self.amount = int(paid["amount"].sum())
        self.replica = Replica(self.application)

    def measured(self, rules: str, *, timed: bool = False) -> tuple[int, npt.NDArray[np.int64], int]:
        """Run the measured payments on a fresh state; return (elapsed ns, cycles, hash of all events).

        rules : by which they are decided, of RULED_BY
        """
        self.replica.state.view(np.uint8)[:] = 0  # also maps every page of it
        self.replica.skip(self.begun)
        self.replica.skip(self.warm)
        self.replica.skip(self.ruled_by[rules])
        cycles = np.zeros(self.count if timed else 0, np.int64)
        elapsed_ns = approved = 0
        for begin in range(0, self.count, CHUNK):
            entries = self.entries[begin : begin + CHUNK]
            part = cycles[begin : begin + CHUNK] if timed else NO_CYCLES
            begun = clock_monotonic_ns()
            slots = [each.copy() for each in self.replica.slots_of(entries, part)]
            elapsed_ns += clock_monotonic_ns() - begun
            events = self.replica.spread.events_of(np.concatenate(slots))
            approved += int((events["code"] == Code.OK).sum())
        self._check(approved, self.count if rules == SHADOW else 0)
        return elapsed_ns, cycles, int(self.replica.state[0]["event_hash"])

    def _check(self, approved: int, seen: int) -> None:
        s = self.replica.state[0]
        held = int(s["balances"]["held"][: int(s["balances_used"])].sum())
        cards, paid, judged = s["card_table"]["used"], s["payments_used"], s["trial"][0]["seen"]
        found = approved, held, int(cards), int(paid), int(judged)
        expected = self.count, self.amount, CARDS, CARDS + self.count, seen
        if found != expected:
            raise BenchError(f"decide: approved, held, cards, payments, judged {found}, expected {expected}")


def run(quick: bool) -> list[Line]:
    """Measure decisions by each of RULED_BY, in turn."""
    count, repetitions = (5_000, 1) if quick else (500_000, REPETITIONS)
    with one_core():
        bench = DecideBench(count)
        runs = [{name: bench.measured(name) for name in RULED_BY} for _ in range(repetitions)]
        timed = {name: bench.measured(name, timed=True) for name in RULED_BY}
    lines = []
    for name, (_, cycles, events) in timed.items():
        if any(each[name][2] != events for each in runs):
            raise BenchError(f"decide/{name}: repetitions of the same payments gave different events")
        mean_ns = float(np.median([each[name][0] for each in runs])) / count
        rate = 1e9 / mean_ns
        print(
            f"decide/{name}: mean {mean_ns:.1f} ns, {rate / 1e6:.2f} million a second, {CARDS:,} live cards"
        )
        latencies: Any = percentiles(cycles * (cycle_ns() / 2**CYCLE_BITS))
        lines.append(with_latencies("decide", name, count, latencies, throughput_per_s=rate, mean_ns=mean_ns))
    return lines
