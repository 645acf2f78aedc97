"""How many requests may still be answered otherwise, after so many were looked at."""

import math

import numpy as np

CONFIDENCE = 0.95
RULE_OF_THREE = 3
HALVINGS = 60


def upper_bound_95(different: int, pairs: int) -> float:
    """Return the share of different answers that is exceeded with a chance of 5 per cent at most.

    None of n: 3 / n. Otherwise the upper bound of Clopper and Pearson, one-sided: the share at which as few
    as were seen come up once in twenty times. Both hold for requests like those that were captured.
    """
    if pairs == 0:
        return 1.0
    if different == 0:
        return min(1.0, RULE_OF_THREE / pairs)
    if different >= pairs:
        return 1.0
    counts = np.arange(different + 1)
    steps = np.log(pairs - counts[:-1]) - np.log(counts[:-1] + 1)
    log_ways = np.concatenate([[0.0], np.cumsum(steps)])
    low, high = different / pairs, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2
        logs = log_ways + counts * math.log(share) + (pairs - counts) * math.log1p(-share)
        chance = float(np.exp(logs).sum())  # of at most so many differences, at this share
        if chance > 1 - CONFIDENCE:
            low = share
        else:
            high = share
    return high
