"""Times at which something changes: edges of buckets and days, beginnings of months."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

from perf.traffic.items import Item

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
BUCKETS = 12
"""Buckets of a window."""
MINUTE, HOUR, DAY, MONTH = (length // BUCKETS for length in (MINUTE_MS, HOUR_MS, DAY_MS, 30 * DAY_MS))
"""A bucket of the window of that length, ms."""


def edge(at: int, bucket_ms: int, ahead: int = 1) -> int:
    """Return the first moment of the bucket that is so many ahead of the one of `at`."""
    return (at // bucket_ms + ahead) * bucket_ms


def month_begin(year: int, month: int) -> int:
    """Return the first moment of a month, UTC; months beyond 12 belong to later years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


def attempts(
    rng: Random, at: int, bucket_ms: int, count: int, gaps: tuple[int, ...], attempt: Callable[[int], Item]
) -> Iterator[tuple[int, Item]]:
    """Yield about `count` attempts, then more at the moments at which the first ones leave their window.

    gaps : ms between two attempts, one of them is chosen each time; all attempts lie in one window
    """
    begin = edge(at, bucket_ms) - rng.randrange(2)
    moment = begin
    for _ in range(count + rng.randrange(-1, 2)):
        yield moment, attempt(moment)
        moment += rng.choice(gaps)
    leaves = edge(begin, bucket_ms, BUCKETS)
    for moment in (leaves - 1, leaves, edge(leaves, bucket_ms), edge(leaves, bucket_ms, 3)):
        if rng.random() < 0.8:
            yield moment, attempt(moment)
