"""One traffic through the plain service and through the engine, reply for reply."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from engine.payments.capacities import Capacities
from perf.traffic.items import SET_UP, Item
from perf.traffic.traffic import Traffic
from tests.payments import books
from tests.payments.coverage import Coverage
from tests.payments.engine_side import CAPACITIES, EngineSide
from tests.payments.legacy.codes import Reply
from tests.payments.legacy_side import LegacySide


class Difference(NamedTuple):
    """An item that the two sides answer otherwise."""

    number: int
    item: Item
    legacy: Reply
    engine: Reply

    def __str__(self) -> str:
        names = [
            name for name in {**self.legacy, **self.engine} if self.legacy.get(name) != self.engine.get(name)
        ]
        shown = ", ".join(f"{name}: {self.legacy.get(name)!r} != {self.engine.get(name)!r}" for name in names)
        return (
            f"item {self.number}, legacy != engine: {shown}\n  {self.item}\n  {self.legacy}\n  {self.engine}"
        )


class Comparison:
    """Both sides, and what they were asked so far."""

    def __init__(
        self, settings: dict[str, object], capacities: Capacities = CAPACITIES, user_rules: str = ""
    ) -> None:
        self.engine = EngineSide(settings, capacities, user_rules)
        self.legacy = LegacySide(settings, user_rules=user_rules)
        self.coverage = Coverage()
        self._number = 0
        self._waiting: deque[tuple[int, Item, Reply]] = deque()

    def play(self, items: Iterable[Item]) -> Iterator[Difference]:
        """Ask both sides for all items; yield each that they answer otherwise."""
        for item in items:
            asked = self.engine.ask(item)
            payment = self.engine.payment_of(item)
            # What is refused takes no seq, but the plain service may not know that.
            seq = asked.seq + 1 if asked.refusal is not None else asked.seq
            self._waiting.append((self._number, item, self.legacy.answer(item, seq, payment)))
            self._number += 1
            if self.engine.is_full:
                yield from self._compared()
        yield from self._compared()

    def _compared(self) -> Iterator[Difference]:
        for reply in self.engine.answers():
            number, item, expected = self._waiting.popleft()
            self.coverage.add(item, reply)
            if expected != reply:
                yield Difference(number, item, expected, reply)

    def unlike_books(self) -> list[str]:
        """Return what both sides know otherwise, and money that is lost."""
        state = self.engine.state
        found = books.unlike(state, self.legacy.service, self.engine.replies)
        lost = books.money_lost(state)
        return [*found, f"lost: {lost}"] if lost else found


def items_of(traffic: Traffic, count: int) -> Iterator[Item]:
    """Yield the set-up of a traffic as items, then `count` of its own, numbered behind those."""
    lines = len(traffic.set_up)
    yield from (Item(SET_UP, line) for line in traffic.set_up)
    for item in islice(traffic, count):
        yield item._replace(of=item.of + lines) if item.of >= 0 else item


def compared(seed: int, count: int) -> tuple[list[str], Coverage]:
    """Play a traffic; return the differences and what it reached."""
    traffic = Traffic(seed)
    comparison = Comparison(traffic.settings)
    items = items_of(traffic, count)
    found: list[str] = []
    while part := list(islice(items, BETWEEN_LOOKS)):
        found += map(str, comparison.play(part))
        found += comparison.unlike_books()
    return found, comparison.coverage


BETWEEN_LOOKS = 25_000
"""Items after which all payments, accounts and the money are compared as well."""
