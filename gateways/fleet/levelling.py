"""How much of a share goes to others: pure arithmetic of one row.

An instance wants more once less than half of its own part is left and somebody pays there. One at which
nobody pays then gives all but a tenth of what each may keep; one at which somebody does gives half of what it
is ahead. So all that lies elsewhere when a payment is refused is less than a tenth of the limit.
"""

RESERVE_SHARE = 10
"""One in so many parts of a limit lies elsewhere at most when a payment is refused."""
MOVED_MAX = 2**46
"""So much one instance gives, or takes, of one row in a day at most: sums of it are exact in the store."""


def wants_more(left: int, part: int, is_busy: bool) -> bool:
    """Tell whether an instance wants more; part : of the limit, that it owns unasked."""
    return is_busy and 2 * left < part


def to_give(left: int, limit: int, instances: int, is_busy: bool, wanting: int, left_of_wanting: int) -> int:
    """Return how much to give, where `wanting` others want more and have `left_of_wanting` together."""
    if wanting == 0 or left <= 0:
        return 0
    reserve = limit // (RESERVE_SHARE * instances)
    if not is_busy:
        return max(0, left - reserve)
    ahead = left - (left + left_of_wanting) // (1 + wanting)
    return ahead if 2 * ahead > reserve else 0
