"""What a replay says of some pairs at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pinion.parity.answers import FieldDifference, ServiceAnswer
from pinion.parity.coverage import Cell
from pinion.parity.pairs import Pair


class Compared(NamedTuple):
    """A pair whose answers differ."""

    pair: Pair
    old: ServiceAnswer
    new: ServiceAnswer
    fields: list[FieldDifference]


class Step(NamedTuple):
    """What some pairs came to."""

    equal: int = 0
    unanswered: int = 0
    different: Sequence[Compared] = ()
    cells: Mapping[Cell, int] = Counter()
