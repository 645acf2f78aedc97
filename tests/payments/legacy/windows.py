"""Windows of time: counts, sums and distinct cards in whole buckets.

A window of length W ends in the bucket of the present moment and is twelve whole buckets of W / 12 ms,
numbered moment // (W / 12). Moments never go back, so what was entered first is out of the window first.
"""

from collections import OrderedDict
from collections.abc import Hashable

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
BUCKETS = 12


class Window:
    """By key the sum of what was entered within the window; a count is a sum of ones."""

    def __init__(self, length_ms: int, bucket_count: int = BUCKETS) -> None:
        self._bucket_ms = length_ms // BUCKETS
        self._bucket_count = bucket_count
        self._buckets: OrderedDict[Hashable, dict[int, int]] = OrderedDict()  # the key entered last is last

    def total(self, key: Hashable, at_ms: int) -> int:
        """Return the sum of a key's entries within the window that ends now."""
        buckets = self._buckets.get(key)
        if buckets is None:
            return 0
        last_outside = at_ms // self._bucket_ms - self._bucket_count
        total = 0
        for number, amount in buckets.items():
            if number > last_outside:
                total += amount
        return total

    def enter(self, key: Hashable, at_ms: int, amount: int = 1) -> None:
        """Add an amount to a key's bucket of now, and forget what has left the window."""
        number = at_ms // self._bucket_ms
        last_outside = number - self._bucket_count
        buckets = self._buckets.get(key)
        if buckets is None:
            self._buckets[key] = {number: amount}
        else:
            buckets[number] = buckets.get(number, 0) + amount
            if next(iter(buckets)) <= last_outside:
                kept = {each: of for each, of in buckets.items() if each > last_outside}
                self._buckets[key] = kept
            self._buckets.move_to_end(key)
        while next(reversed(next(iter(self._buckets.values())))) <= last_outside:
            self._buckets.popitem(last=False)


class DistinctCards:
    """By key the cards that were seen within the window."""

    def __init__(self, length_ms: int, bucket_count: int = BUCKETS) -> None:
        self._bucket_ms = length_ms // BUCKETS
        self._bucket_count = bucket_count
        self._seen: OrderedDict[Hashable, dict[str, int]] = OrderedDict()  # both: what was seen last is last

    def count(self, key: Hashable, card: str, at_ms: int, present: int = 1) -> int:
        """Return how many cards were seen with a key; the present one counts as one of them."""
        seen = self._within(key, at_ms)
        return len(seen) if card in seen else len(seen) + present

    def enter(self, key: Hashable, card: str, at_ms: int) -> None:
        """Note that a card was seen with a key now, and forget what has left the window."""
        number = at_ms // self._bucket_ms
        seen = self._within(key, at_ms)
        seen.pop(card, None)
        seen[card] = number
        self._seen[key] = seen
        self._seen.move_to_end(key)
        while next(reversed(next(iter(self._seen.values())).values())) <= number - self._bucket_count:
            self._seen.popitem(last=False)

    def _within(self, key: Hashable, at_ms: int) -> dict[str, int]:
        """Return a key's cards within the window, each with the bucket where it was seen last."""
        seen = self._seen.get(key)
        if not seen:
            return {}
        last_outside = at_ms // self._bucket_ms - self._bucket_count
        if next(iter(seen.values())) <= last_outside:
            seen = {card: number for card, number in seen.items() if number > last_outside}
            if seen:
                self._seen[key] = seen
            else:
                del self._seen[key]
        return seen
