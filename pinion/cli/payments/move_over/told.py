"""What a replay says: how far it is, now and then, and what it came to."""

import sys
import time
from collections.abc import Callable

import msgspec

from pinion.parity.coverage import FEW
from pinion.parity.tally import Diff, Tally

LINE_S = 1.0
"""Between two lines of progress."""
SHOWN = 3
"""Differences that are printed."""


class ReplayProgress:
    """Says on stderr how far a replay is."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._began = clock()
        self._next = self._began + LINE_S

    def __call__(self, pairs: int, different: int | None = None) -> None:
        """Take note of how many pairs are played."""
        if self._clock() >= self._next:
            self._next = self._clock() + LINE_S
            self.tell(pairs, different)

    def tell(self, pairs: int, different: int | None = None) -> None:
        """Say how many pairs are played."""
        took = max(self._clock() - self._began, 1e-9)
        said = f"{self._what}: {pairs:,} pairs, {pairs / took:,.0f}/s"
        found = "" if different is None else f", different: {different:,}"
        print(said + found, file=sys.stderr, flush=True)


def tell(tally: Tally, shown: list[Diff]) -> None:
    """Print what a replay came to, and the first differences."""
    summary = tally.summary()
    coverage = summary["coverage"]
    for diff in shown:
        print(f"record {diff.n}, {diff.path}, {diff.codes}:")
        for each in diff.fields:
            if each.ignored is msgspec.UNSET:
                print(f"  {each.field}: {_value(each.old)} there, {_value(each.new)} here")
    print(f"pairs      {summary['pairs']:>10,}")
    for name in ("equal", "different", "ignored", "unanswered"):
        print(f"{name:<11}{summary[name]:>10,}")
    for why, count in summary["left_out"].items():
        print(f"not played {count:>10,}  {why}")
    for noise in tally.noise:
        why = noise.ignored or "not named by --ignore: name it there, with owner and reason"
        print(f"noise: {noise}; {why}")
    for title, counts in (("field", "by_field"), ("codes", "by_codes"), ("rule", "by_rules")):
        found = [f"{name} {count:,}" for name, count in list(summary[counts].items())[:SHOWN]]
        if found:
            print(f"by {title}: {', '.join(found)}")
    for unmet in tally.ignore_list.unmet():
        print(f"ignored, but never met: {unmet}")
    print(f"of requests like these at most {100 * summary['upper_bound_95']:.3g} % differ (95 %)")
    reached, few = (coverage[name] for name in ("reached", "under_30"))
    print(f"cells reached: {reached} of {coverage['cells']}; under {FEW} times: {few}")


def _value(value: object) -> str:
    return "nothing" if value is msgspec.UNSET else msgspec.json.encode(value).decode()
