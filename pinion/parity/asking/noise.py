"""Noise: what differs between two runs of the old service itself, which no other service can answer alike."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from pinion.parity.asking.against import Against
from pinion.parity.asking.service import Service
from pinion.parity.ignored import IgnoreList, pair_of_codes
from pinion.parity.pairs import Pair
from pinion.parity.tally import Noise

Told = Callable[[int], None]
"""Is told how many pairs are played."""


def runs_of_command(
    fresh: Callable[[], AbstractContextManager[Service]],
    pairs: Sequence[Pair],
    set_up: bytes,
    told: Told,
    *,
    stamps: bool,
) -> Counter[tuple[str, str]]:
    """Ask two services that are started afresh the same; count what they answer otherwise."""
    with fresh() as service:
        service.set_up(set_up)
        old = Against(service, stamps=stamps)
        answered = []
        for count, pair in enumerate(pairs, 1):
            answered.append(old.answered(pair))
            told(count)
    with fresh() as service:
        return run_of_service(
            service, answered, set_up, lambda count: told(len(pairs) + count), stamps=stamps
        )


def run_of_service(
    service: Service, pairs: Sequence[Pair], set_up: bytes, told: Told, *, stamps: bool
) -> Counter[tuple[str, str]]:
    """Ask a service what was asked before; count what it answers otherwise than then."""
    service.set_up(set_up)
    found: Counter[tuple[str, str]] = Counter()
    for count, step in enumerate(Against(service, stamps=stamps).replay(pairs), 1):
        for pair in step.different:
            codes = pair_of_codes(pair.old, pair.new)
            found.update((each.field, codes) for each in pair.fields)
        told(count)
    return found


def named(found: Counter[tuple[str, str]], ignored: IgnoreList) -> list[Noise]:
    """Return the noise, most frequent first, each with what puts up with it."""
    noise = []
    for (field, codes), count in found.most_common():
        why = ignored.find(field, codes)
        noise.append(Noise(field, codes, count, f"{why.owner}: {why.reason}" if why else None))
    return noise
