"""Two rates compared in whole numbers: the two-proportion z-test without a fraction or a root of one.

    z = (x1 / n1 - x2 / n2) / sqrt(p (1 - p) (1 / n1 + 1 / n2)),   p = (x1 + x2) / (n1 + n2)
      = (x1 n2 - x2 n1) / sqrt(n1 n2 * x (n - x) / n),             x = x1 + x2, n = n1 + n2

Counts are halved until their sum is below 2^20, so that every product fits 64 bits. Where an arm is expected
to have fewer than five cases, or fewer than five of the others, the approximation by a normal distribution
does not hold and nothing is said (Cochran 1954, "Some methods for strengthening the common chi2 tests").
"""

import numpy as np

from ringbuf.kernel import kernel

SUM_BITS = 20
EXPECTED_MIN = 5
TENTHS = 10
ROOT_BITS = 29
"""Of the largest root: n1 n2 is below 2^38, x (n - x) / n below 2^18."""


@kernel
def differs(x1, n1, x2, n2, tenths):
    """Tell whether x1 of n1 and x2 of n2 differ by more than so many tenths of their standard error.

    All int64; 0 <= x1 <= n1, 0 <= x2 <= n2, both n below 2^62.
    """
    while (n1 + n2) >> SUM_BITS:
        x1, n1, x2, n2 = x1 >> 1, n1 >> 1, x2 >> 1, n2 >> 1
    n, x, least = n1 + n2, x1 + x2, min(n1, n2)
    if x * least < EXPECTED_MIN * n or (n - x) * least < EXPECTED_MIN * n:
        return False
    spread = root(n1 * n2 * (x * (n - x) // n))
    return abs(x1 * n2 - x2 * n1) * TENTHS > tenths * spread


@kernel
def root(number):
    """Return the integer square root of a number below 2^58."""
    found = np.int64(0)
    for shift in range(ROOT_BITS):
        tried = found | np.int64(1) << (ROOT_BITS - 1 - shift)
        if tried * tried <= number:
            found = tried
    return found
