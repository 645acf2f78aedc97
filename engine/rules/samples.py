"""Numbers to try rules on, drawn at random from the ranges of their words: small ones and ends often."""

from collections.abc import Collection

import numpy as np

from engine.rules.compiled import Words
from engine.rules.vocabulary import Range

END_SHARE = 0.1
SKEW = 3
"""A power of the even luck that says how many bits a number has: the higher, the more small ones."""


def samples(ranges: Collection[Range], count: int, rng: np.random.Generator) -> Words:
    """Return int64[count, ranges]: in each column numbers of one range."""
    columns = [_column(each, count, rng) for each in ranges]
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0), np.int64)


def _column(of: Range, count: int, rng: np.random.Generator) -> Words:
    """Return numbers of a range: around zero, or around its end that is nearest to it, and its ends."""
    nearest = min(max(of.least, 0), of.most)
    above, below = of.most - nearest, nearest - of.least
    is_above = rng.random(count) * (above + below) < above
    room = np.where(is_above, float(above), float(below))
    steps = np.floor((room + 1) ** (rng.random(count) ** SKEW)) - 1
    numbers = [nearest + (int(step) if up else -int(step)) for step, up in zip(steps, is_above, strict=True)]
    column = np.array([min(max(each, of.least), of.most) for each in numbers], np.int64)
    is_end = rng.random(count) < END_SHARE
    column[is_end] = rng.choice(np.array(of, np.int64), int(is_end.sum()))
    return column
