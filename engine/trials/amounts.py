"""The part of what was asked that was not given, compared between two arms in whole numbers.

A decision weighs the square root of the amount asked, WEIGHT_MAX at most; `withheld` is what of that weight
was not approved. The part D of both arms together is what is expected of each decision, and e = withheld - D
weight what it adds. Cards fall into an arm at random, so the sum of e over one arm has the variance of a draw
of its n1 from all n:

    D = sum withheld / sum weight,  z = (sum of e of one arm) / sqrt(n1 n2 / n^2 * sum of e^2 of both)

A root has a variance wherever amounts have a mean, and one bound on it serves every currency (decision 41).
Where the smaller arm is expected to have less of the sum of squares than LARGEST_MIN withheld decisions of
the largest weight would make, the approximation by a normal distribution does not hold and nothing is said.
"""

import numpy as np

from engine.trials.rates import TENTHS, root
from ringbuf.kernel import kernel

WEIGHT_MAX = 2**10
ASKED_MAX = WEIGHT_MAX * WEIGHT_MAX
"""What is asked beyond this weighs no more."""
LARGEST_MIN = 25
"""The sum of e over an arm is then skewed by a fifth at most: wrong alarms are four times as many at most."""
PART_BITS = 20
"""Of a part of one, as it is calculated with."""
WEIGHT_BITS = 27
"""Sums of weights are halved until they fit: the product of two arms' then has 52."""
SQUARE_BITS = 40
"""Sums of squares are brought to so many: their product with a part has 60."""
FINE_BITS = 7


@kernel
def weigh(arm, asked, approved):
    """Enter a decision into its arm; asked : int64, from 1, approved : int64, 0 to asked, below 2^52."""
    weight = root(min(asked, ASKED_MAX))
    withheld = weight - weight * approved // asked
    arm.asked += weight
    arm.withheld += withheld
    arm.asked_squares += weight * weight
    arm.asked_withheld += weight * withheld
    arm.withheld_squares += withheld * withheld
    arm.withheld_max = max(arm.withheld_max, withheld)


@kernel
def parts_differ(one, two, tenths):
    """Tell whether two arms differ in the part withheld by more than so many tenths of its standard error."""
    if one.asked == 0 or two.asked == 0:
        return False
    halved = _halved(one.asked + two.asked)
    asked1, asked2 = one.asked >> halved, two.asked >> halved
    withheld1, withheld2 = one.withheld >> halved, two.withheld >> halved
    asked = asked1 + asked2
    quartered = _quartered(one.asked_squares + two.asked_squares)
    total = _squares_of(one, two, ((withheld1 + withheld2) << PART_BITS) // asked, quartered)
    smaller = (min(one.decided, two.decided) << PART_BITS) // (one.decided + two.decided)
    most = max(one.withheld_max, two.withheld_max)
    expected = total * smaller >> PART_BITS
    if expected < LARGEST_MIN * _shifted(most * most, -2 * quartered):
        return False
    variance = expected * ((1 << PART_BITS) - smaller) >> PART_BITS
    spread = _shifted(root(variance) << FINE_BITS, quartered - halved)
    apart = (abs(withheld1 * asked2 - withheld2 * asked1) << FINE_BITS) // asked
    return apart * TENTHS > tenths * spread


@kernel
def _halved(weights):
    """Return how often a sum of weights is to be halved."""
    halved = np.int64(0)
    while weights >> (WEIGHT_BITS + halved):
        halved += 1
    return halved


@kernel
def _quartered(squares):
    """Return how often a sum of squares, above 0, is to be quartered; below 0: made fourfold."""
    quartered = np.int64(0)
    while squares >> (SQUARE_BITS + 2 * quartered):
        quartered += 1
    while _shifted(squares, 2 - 2 * quartered) >> SQUARE_BITS == 0:
        quartered -= 1
    return quartered


@kernel
def _squares_of(one, two, part, quartered):
    """Return the sum of e^2, quartered so often; part : of all that was asked what was withheld."""
    withheld = _shifted(one.withheld_squares + two.withheld_squares, -2 * quartered)
    mixed = _shifted(one.asked_withheld + two.asked_withheld, -2 * quartered)
    asked = _shifted(one.asked_squares + two.asked_squares, -2 * quartered)
    expected = (part * asked >> PART_BITS) * part >> PART_BITS
    return max(withheld - (2 * part * mixed >> PART_BITS) + expected, 0)


@kernel
def _shifted(number, bits):
    """Return a number, doubled so often, or halved where that is below 0."""
    return number << bits if bits >= 0 else number >> -bits
