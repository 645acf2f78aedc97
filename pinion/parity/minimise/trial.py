"""A trial: a sequence of requests is asked of the old service, afresh, and decided by an engine, afresh.

A recorded answer holds for its own past alone, so the old service answers each trial itself. It is asked only
where the engine, which takes a moment, answers the last request with the code that is looked for.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from pinion.parity.asking.against import Against
from pinion.parity.asking.service import Service
from pinion.parity.deciding.in_process import InProcess
from pinion.parity.ignored import pair_of_codes
from pinion.parity.pairs import Pair
from pinion.parity.steps import Compared


class Target(NamedTuple):
    """The difference that is looked for: a field, and the codes there and here."""

    field: str
    codes: str

    def is_in(self, compared: Compared | None) -> bool:
        """Tell whether it is among what differs of a pair."""
        if compared is None or pair_of_codes(compared.old, compared.new) != self.codes:
            return False
        return any(each.field == self.field for each in compared.fields)

    def may_be_in(self, compared: Compared | None) -> bool:
        """Tell whether the engine answers with the code here, whatever the old service would say."""
        return compared is not None and compared.new.code == self.codes.rpartition(">")[2]


class Trials:
    """Makes trials.

    engine : returns a new engine
    fresh : gives a block an old service that nobody has asked anything
    stamps : as for a replay
    """

    def __init__(
        self,
        target: Target,
        engine: Callable[[], InProcess],
        fresh: Callable[[], AbstractContextManager[Service]],
        *,
        stamps: bool,
    ) -> None:
        self.target = target
        self.asked = 0
        """How often the old service was asked."""
        self._engine = engine
        self._fresh = fresh
        self._stamps = stamps
        self._known: dict[tuple[int, ...], bool] = {}

    def shows(self, pairs: Sequence[Pair]) -> bool:
        """Tell whether the last of these requests is still answered otherwise."""
        key = tuple(map(id, pairs))
        if key not in self._known:
            self._known[key] = self.target.may_be_in(self.decided(pairs)) and self.target.is_in(
                self.decided(self.answered(pairs))
            )
        return self._known[key]

    def decided(self, pairs: Sequence[Pair]) -> Compared | None:
        """Return how the engine answers the last request otherwise; None where it does not."""
        last = pairs[-1]
        for step in self._engine().replay(pairs):
            for compared in step.different:
                if compared.pair is last:
                    return compared
        return None

    def answered(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return the requests with what the old service answers to them now."""
        self.asked += 1
        with self._fresh() as service:
            old = Against(service, stamps=self._stamps)
            return [old.answered(pair) for pair in pairs]
