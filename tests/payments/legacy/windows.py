"""Windows of time: counts, sums and distinct cards in whole buckets.

A window of length W ends in the bucket of the present moment and is twelve whole buckets of W / 12 ms,
numbered moment // (W / 12). Moments never go back, so what was entered first leaves the window first.
"""

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
        self._buckets: dict[Hashable, dict[int, int]] = {}  # by number, the newest last
        self._sweep_at = 0  # the number of the bucket that begins with forgetting idle keys

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
        """Add an amount to a key's bucket of now."""
        number = at_ms // self._bucket_ms
        if number >= self._sweep_at:
            self._sweep(number)
        buckets = self._buckets.get(key)
        if buckets is None:
            self._buckets[key] = {number: amount}
            return
        buckets[number] = buckets.get(number, 0) + amount
        if len(buckets) > self._bucket_count:  # the oldest one is outside
            del buckets[next(iter(buckets))]

    def _sweep(self, number: int) -> None:
        """Forget the keys that have nothing within the window, once a window."""
        last_outside = number - self._bucket_count
        self._buckets = {
            key: buckets for key, buckets in self._buckets.items() if next(reversed(buckets)) > last_outside
        }
        self._sweep_at = number + self._bucket_count


class DistinctCards:
    """By key the cards that were seen within the window."""

    def __init__(self, length_ms: int, bucket_count: int = BUCKETS) -> None:
        self._bucket_ms = length_ms // BUCKETS
        self._bucket_count = bucket_count
        self._seen: dict[Hashable, dict[str, int]] = {}  # bucket of each card, the card seen last is last
        self._sweep_at = 0  # the number of the bucket that begins with forgetting idle keys

    def count(self, key: Hashable, card: str, at_ms: int, present: int = 1) -> int:
        """Return how many cards were seen with a key; the present one counts as one of them."""
        seen = self._within(key, at_ms // self._bucket_ms)
        return len(seen) if card in seen else len(seen) + present

    def enter(self, key: Hashable, card: str, at_ms: int) -> None:
        """Note that a card was seen with a key now."""
        number = at_ms // self._bucket_ms
        if number >= self._sweep_at:
            self._sweep(number)
        seen = self._within(key, number)
        seen.pop(card, None)
        seen[card] = number
        self._seen[key] = seen

    def _within(self, key: Hashable, number: int) -> dict[str, int]:
        """Return a key's cards within the window that ends in a bucket."""
        seen = self._seen.get(key)
        if seen is None:
            return {}
        last_outside = number - self._bucket_count
        if next(iter(seen.values())) > last_outside:
            return seen
        within = {card: last for card, last in seen.items() if last > last_outside}
        if within:
            self._seen[key] = within
        else:
            del self._seen[key]
        return within

    def _sweep(self, number: int) -> None:
        """Forget the keys that have no card within the window, once a window."""
        last_outside = number - self._bucket_count
        self._seen = {
            key: seen for key, seen in self._seen.items() if next(reversed(seen.values())) > last_outside
        }
        self._sweep_at = number + self._bucket_count
