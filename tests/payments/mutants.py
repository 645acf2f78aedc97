"""Mutants of both sides, each of which the comparison with the other side must find.

    python -m tests.payments.mutants [--side engine] [--every 10]

A mutant changes one comparison, number, sign or flag of one side (mutation.py). Traffic about what it changes
is played, then more of everything, until both sides answer otherwise. The kernels run as plain Python, so
that nothing is compiled. What is not found stands in equivalent_mutants.py with the reason, or the traffic
has a hole. The exit code is 0 only where every other one is found.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import chain
from time import perf_counter
from typing import Any, NamedTuple

from perf.traffic.profile import STORIES, Teller
from perf.traffic.settings import DEFAULTS
from perf.traffic.stories import allowed, cards, life, limits, money, velocity
from perf.traffic.traffic import Traffic
from ringbuf.kernel import COMPILED
from ringbuf.kernel_cache import ROOT
from tests.payments.equivalent_mutants import EQUIVALENT
from tests.payments.mutation import Mutant, MutantFinder, mutants_of

ENGINE, LEGACY = "engine", "legacy"
PLAIN = {"NUMBA_DISABLE_JIT": "1"}
PROCESSES = 2
TOLD_EVERY = 25
CPU_SECONDS_MAX = 300
"""A mutant that takes longer goes round in a circle: it is found."""
NOT_FOUND, FOUND, BROKEN = 0, 10, 11
"""How the process of a mutant ends; BROKEN: by an error, which is found too."""


class Scope(NamedTuple):
    """A module whose mutants are made, in some places or but in some."""

    module: str
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


_RULES, _KERNELS, _LEGACY = "engine.payments.rules", "engine.payments.kernels", "tests.payments.legacy"
SCOPES = {
    ENGINE: (
        *(Scope(f"{_RULES}.{name}") for name in ("account", "card", "lists", "merchant", "sightings")),
        *(Scope(f"{_RULES}.{name}") for name in ("signals", "table", "verdict")),
        Scope("engine.payments.records", only=("LIMITS",)),
        Scope(f"{_KERNELS}.windows", without=("merge_card",)),
        Scope(f"{_KERNELS}.evaluate"),
        Scope(f"{_KERNELS}.gather"),
        Scope(
            f"{_KERNELS}.decide",
            only=("pay", "hold_days_of", "approve", "_count_approved"),
        ),
        Scope(f"{_KERNELS}.judge", without=("_up_to",)),
        Scope(f"{_KERNELS}.attempts", only=("count_attempt", "count_decline")),
        Scope(f"{_KERNELS}.answers", only=("find_answer",)),
        Scope(
            f"{_KERNELS}.holds",
            only=("queue", "close", "leave_queue", "end_due", "_first_to_end", "release"),
        ),
        Scope(
            f"{_KERNELS}.operate",
            only=(
                *("operate", "reverse", "_operate_on", "_asked_of", "_capture", "_void", "_forget_as_last"),
                *("_refund", "review", "_may_approve", "_tell_known"),
            ),
        ),
    ),
    LEGACY: (
        *(Scope(f"{_LEGACY}.{name}") for name in ("rules", "windows", "lifecycle", "books", "decide")),
        *(Scope(f"{_LEGACY}.{name}") for name in ("ask", "memory")),
        Scope(f"{_LEGACY}.set_up", only=("_moved", "_account", "_list", "_deposit", "_deposit_code")),
    ),
}
"""What is changed. What gives way where a table is full, and what other instances have seen, which the plain
service knows nothing of, are other tests' matters (tests/engine/payments)."""
TELLERS = {teller.__name__: teller for teller in STORIES}
STORIES_OF: dict[str, tuple[Teller, ...]] = {
    "hot_list": (cards.cards_on_lists,),
    "block_list": (cards.others_on_lists,),
    "TABLE": (allowed.allowed,),
    "merchant_active": (cards.standing,),
    "account_status": (cards.standing,),
    "cvv": (cards.signals,),
    "score_decline": (cards.signals,),
    "score_review": (cards.signals,),
    "balance": (money.funds,),
    "month_begins_at": (cards.card_expiry,),
    "month_start_ms": (cards.card_expiry,),
    "DAY_MS": (cards.card_expiry, cards.double_charge, life.holds_end),
    "(SMALL_UNITS, LARGE_UNITS)": (cards.small_then_large,),
    "LIMITS": (cards.double_charge, cards.small_then_large, cards.signals, *velocity.TELLERS),
    "queue": (life.holds_end,),
    "end_due": (life.holds_end, life.many_holds_end),
    "release": (life.holds_end, life.parts),
    "_first_to_end": (life.holds_end, life.many_holds_end),
    "_capture": (life.parts, life.exact_rest),
    "_void": (life.parts, life.exact_rest),
    "_refund": (life.parts, life.exact_rest),
    "_operate_on": (life.known_operations, life.many_operations),
    "review": (life.reviews,),
    "_review": (life.reviews,),
    "_may_approve": (life.reviews,),
    "_once": (life.known_operations, life.many_operations),
    "_deposit_code": (money.deposits, money.largest_sums),
    "SUM_MAX": (money.largest_sums,),
    "_moved": (money.deposits, money.largest_sums, life.parts, life.exact_rest),
    "enter": (limits.account_sum_of_buckets,),
    "total_at": (limits.account_sum_of_buckets,),
    "MONTH_BUCKET_MS": (velocity.scheme_retry,),
    "_merchant": (limits.merchant_permits, cards.standing),
    "_account": (cards.standing, money.funds),
    "_card": (velocity.scheme_retry, velocity.bin_declines_1h),
    "find_card_pair": (velocity.scheme_retry,),
    "_sightings": (velocity.device_cards_24h, velocity.ip_cards_1h, velocity.email_cards_24h),
    "_lists": (cards.cards_on_lists, cards.others_on_lists, velocity.card_1m, cards.double_charge),
    "_move_on": (limits.account_sum_of_buckets, *velocity.TELLERS),
}
"""Place -> the stories that are about it; a rule has one of its own name besides."""
SETTINGS_OF: dict[str, tuple[dict[str, Any], ...]] = {
    "bin_declines_1h": (DEFAULTS | {"bin_declines_1h": 0},),
    "MONTH_BUCKET_MS": (DEFAULTS | {"scheme_retry": 2},),
    "find_card_pair": (DEFAULTS | {"scheme_retry": 2},),
    "_card": tuple(DEFAULTS | {"scheme_retry": most, "bin_declines_1h": most} for most in (0, 1, 2)),
    "_sightings": (
        DEFAULTS | dict.fromkeys(("device_cards_24h", "ip_cards_1h", "email_cards_24h"), 0),
        DEFAULTS | dict.fromkeys(("device_cards_24h", "ip_cards_1h", "email_cards_24h"), 1),
    ),
}
"""Place -> settings under which more of it shows than under those of a seed."""
SEEDS_OF: dict[str, Iterable[int]] = {"month_begins_at": range(12)}
"""Place -> seeds that differ in what it is about: in the year that they begin in."""


class Attempt(NamedTuple):
    """A traffic that may find a mutant."""

    seed: int
    item_count: int
    stories: dict[Teller, int] | None = None
    settings: dict[str, Any] | None = None  # that the traffic is made for; those of the seed
    is_told: bool = True  # whether both sides are told these settings, or have their defaults
    has_lists: bool = True  # whether anything stands on a list from the start
    has_user_rules: bool = False


CONTROLS = Attempt(0, 1_000), Attempt(1, 800, has_user_rules=True), Attempt(0, 100, has_lists=False)
"""One traffic of each kind: where nothing is changed nothing differs. The plain service is changed beside a
compiled engine, for which user rules would be compiled in each process: it does without."""


def attempts(mutant: Mutant, side: str) -> Iterator[Attempt]:
    """Yield what is tried, the most likely first."""
    scale = 1 if side == ENGINE else 4  # the plain service is changed beside a compiled engine
    about = [*STORIES_OF.get(mutant.place, ())]
    if mutant.place in TELLERS:
        about.append(TELLERS[mutant.place])
    off = {"bin_declines_1h": None, "email_cards_24h": None}
    if mutant.place in ("LIMITS", "DEFAULTS"):
        for seed in (0, 1):
            stories = dict.fromkeys(STORIES_OF["LIMITS"], 1)
            yield Attempt(seed, 600 * scale, stories, DEFAULTS | off, is_told=False)
    elif about:
        for teller in about if len(about) > 1 else ():  # by itself: no other one moves the clock on
            yield Attempt(0, 200 * scale, {teller: 1})
        for seed in SEEDS_OF.get(mutant.place, (0, 1)):
            yield Attempt(seed, 300 * scale, dict.fromkeys(about, 1))
        for settings in SETTINGS_OF.get(mutant.place, ()):
            yield Attempt(0, 300 * scale, dict.fromkeys(about, 1), settings)
        if mutant.place == "_lists":
            yield Attempt(0, 300 * scale, dict.fromkeys(velocity.TELLERS, 1), has_lists=False)
            for seed in range(24):  # lists of one entry, and of as many as another one
                first = dict.fromkeys(STORIES_OF["_lists"][:2], 1)
                yield Attempt(seed, 40 * scale, first, has_lists=False)
    if mutant.place == "_first_to_end":  # so many that all wait, and time passes
        yield Attempt(0, 1_500 * scale, {life.holds_end: 1})
    yield Attempt(0, 800 * scale)
    if side == ENGINE:
        yield Attempt(1, 800, has_user_rules=True)
    yield Attempt(2, 1_500 * scale)
    yield Attempt(4, 2_500 * scale)
    yield Attempt(7, 2_500 * scale)


def differs(attempt: Attempt) -> bool:
    """Tell whether the two sides, one of which may be changed, answer otherwise, or know otherwise then."""
    from tests.payments.comparison import Comparison, items_of  # only now: a mutant is to be imported
    from tests.payments.user_rules import USER_RULES

    traffic = Traffic(attempt.seed, stories=attempt.stories, settings=attempt.settings)
    settings = traffic.settings if attempt.is_told else {}
    comparison = Comparison(settings, user_rules=USER_RULES if attempt.has_user_rules else "")
    if not attempt.has_lists:
        traffic.set_up = [line for line in traffic.set_up if line["op"] != "list"]
    if next(comparison.play(items_of(traffic, attempt.item_count)), None) is not None:
        return True
    return bool(comparison.unlike_books())


def begin(mutant: Mutant | None, side: str) -> int:
    """Begin a process that tries a mutant, or the modules as they are; return its id."""
    pid = os.fork()
    if pid:
        return pid
    outcome = BROKEN
    try:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_MAX)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if mutant is None:
            controls = [each for each in CONTROLS if side == ENGINE or not each.has_user_rules]
            outcome = FOUND if any(map(differs, controls)) else NOT_FOUND
        else:
            sys.meta_path.insert(0, MutantFinder(mutant))
            outcome = FOUND if any(map(differs, attempts(mutant, side))) else NOT_FOUND
    finally:
        os._exit(outcome)


def load(side: str) -> None:
    """Import what no mutant of a side changes, once for all its processes."""
    assert COMPILED == (side == LEGACY)
    for name in ("engine.contract.replica", "engine.text.exact_json", "iso4217", "msgspec"):
        import_module(name)
    if side == LEGACY:
        from tests.payments.engine_side import EngineSide  # not where the kernels are changed

        EngineSide({})


def try_all(side: str, every: int, named: str) -> int:
    """Try the mutants of one side, print, and return how many were not found that should have been."""
    load(side)
    all_of_them = chain.from_iterable(mutants_of(*scope) for scope in SCOPES[side])
    waiting = [mutant for mutant in all_of_them if named in str(mutant)][::every]
    count, began, running, outcomes = len(waiting), perf_counter(), dict[int, Mutant](), dict[Mutant, int]()
    control = os.waitpid(begin(None, side), 0)[1]
    assert os.waitstatus_to_exitcode(control) == NOT_FOUND, "the sides differ as they are"
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            mutant = waiting.pop(0)
            running[begin(mutant, side)] = mutant
        pid, status = os.wait()
        mutant, outcome = running.pop(pid), os.waitstatus_to_exitcode(status)
        outcomes[mutant] = outcome
        if len(outcomes) % TOLD_EVERY == 0:
            print(f"{len(outcomes):,} of {count:,} tried", file=sys.stderr, flush=True)
        if outcome == NOT_FOUND and str(mutant) not in EQUIVALENT:
            print(f"not found: {mutant}", flush=True)
    lost = [mutant for mutant, outcome in outcomes.items() if outcome == NOT_FOUND]
    known = [mutant for mutant in lost if str(mutant) in EQUIVALENT]
    broken = sum(outcome != NOT_FOUND and outcome != FOUND for outcome in outcomes.values())
    for mutant, outcome in outcomes.items():
        if outcome != NOT_FOUND and str(mutant) in EQUIVALENT:
            print(f"found, though it stands among the equivalent ones: {mutant}")
    print(
        f"{side}: {count - len(lost)} of {count} mutants found ({broken} of them by an error or without an "
        f"end), {len(known)} equivalent, {len(lost) - len(known)} not found, {perf_counter() - began:.0f} s"
    )
    return len(lost) - len(known)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.payments.mutants", description=__doc__)
    parser.add_argument("--side", choices=(ENGINE, LEGACY), help="only mutants of this side")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth mutant")
    parser.add_argument("--named", default="", metavar="TEXT", help="only mutants with this in their name")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.here:
        return 1 if try_all(args.side, args.every, args.named) else 0
    command = [sys.executable, "-m", "tests.payments.mutants", "--here", "--every", str(args.every)]
    command += ["--named", args.named, "--side"]
    codes = [
        subprocess.call([*command, side], cwd=ROOT, env=os.environ | (PLAIN if side == ENGINE else {}))
        for side in (ENGINE, LEGACY)
        if args.side in (None, side)
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
