"""How many requests may still be answered otherwise, after so many were looked at."""

import math

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
    low, high = different / pairs, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2
        if _at_most(different, pairs, share) > 1 - CONFIDENCE:
            low = share
        else:
            high = share
    return high


def _at_most(count: int, pairs: int, share: float) -> float:
    """Return the chance of at most `count` of `pairs`, each with this chance, by the binomial's tail."""
    log_share, log_rest = math.log(share), math.log1p(-share)
    chance = 0.0
    log_ways = 0.0
    for k in range(count + 1):
        chance += math.exp(log_ways + k * log_share + (pairs - k) * log_rest)
        log_ways += math.log(pairs - k) - math.log(k + 1) if k < count else 0.0
    return chance
