"""The comparison of our matching with a file: trades compared, those exact, every difference by kind."""

from collections import Counter
from collections.abc import Iterator

import msgspec

EXAMPLES_MAX = 12
FILLS_SHOWN = 3

Fill = tuple[int, int]
"""(venue's id of the resting order, size)."""


class Example(msgspec.Struct, frozen=True):
    """One trade that came out differently."""

    offset: int
    ts: int
    side: str
    price: str
    size: int
    venue: list[Fill]
    ours: list[Fill]

    def __str__(self) -> str:
        alike = 0
        while self.venue[alike : alike + 1] == self.ours[alike : alike + 1] != []:
            alike += 1
        lead = f"{alike} alike, then " if alike else ""
        return (
            f"byte {self.offset}, ts {self.ts}: {self.side} {self.size} at {self.price}; "
            f"{lead}venue filled {_shown(self.venue[alike:])}; ours {_shown(self.ours[alike:])}"
        )


def _shown(fills: list[Fill]) -> str:
    """Write fills; a long list is cut."""
    shown = ", ".join(f"{size} of {order_id}" for order_id, size in fills[:FILLS_SHOWN]) or "nothing"
    more = len(fills) - FILLS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


class Comparison:
    """The counts of one run, and examples of what differed."""

    def __init__(self) -> None:
        self.trades_in_file = 0
        self.before_start = 0  # swallowed by the starting book
        self.exact = 0
        self.exact_after_withdrawal = 0  # of these, with self-match cancels of the event entered first
        self.differences: Counter[str] = Counter()
        self.examples: dict[str, list[Example | str]] = {}
        self.refused = 0  # commands outside trades that our engine refused; differences too
        self.unexpected_crosses: list[str] = []
        self.mending_commands = 0
        self.fills_in_file = 0
        self.fills_exact = 0

    @property
    def compared(self) -> int:
        """Return the denominator: trades of the file that met our book, and refused commands."""
        return self.exact + self.differences.total()

    def refuse(self, refusal: str, place: str) -> None:
        """Note that our engine refused something that the file entered: `refusal` is operation and reason."""
        self.refused += 1
        self.differ(f"our engine refused {refusal}", f"{place}: {refusal}")

    def differ(self, kind: str, example: Example | str) -> None:
        """Note a difference."""
        self.differences[kind] += 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(example)

    def lines(self) -> Iterator[str]:
        """Return the report, one line at a time."""
        yield f"trade events in the file      {self.trades_in_file}"
        yield f"  before the starting book    {self.before_start}"
        yield f"  compared (the denominator)  {self.compared}"
        if self.refused:
            yield f"  refused commands            {self.refused}"
        if self.compared:
            share = 10_000 * self.exact // self.compared / 100  # cut, not rounded: 100 means every one
            yield f"reproduced exactly            {self.exact} ({share:.2f} %)"
            yield f"  after self-match cancels    {self.exact_after_withdrawal} (of the same event)"
            yield f"resting fills exactly         {self.fills_exact} of {self.fills_in_file}"
        else:
            yield "reproduced exactly            none to compare"
        yield f"unexpected crosses            {len(self.unexpected_crosses)}"
        for cross in self.unexpected_crosses[:EXAMPLES_MAX]:
            yield f"    {cross}"
        yield f"differences                   {self.differences.total()}"
        for kind, count in self.differences.most_common():
            yield f"  {count:6d}  {kind}"
            for example in self.examples[kind]:
                yield f"          {example}"
        yield f"commands that mended the book after a difference: {self.mending_commands}"
