"""Client order ids of the house account of one file: unique over all its instruments and all its hours.

A venue's id is unique within one instrument at most, and some venues use it again once its order
ended. Ours are unique per account for good (exchange rule S4), and one account holds the orders of every
instrument of the file. So a venue's id serves as ours the first time it is met, where it can;
otherwise the order gets a number that no venue's id can be, because those are refused from there on.
"""

FIRST_OWN_ID = 2**62
"""Ids from here on are given by us alone: a venue's id serves below it."""


class ClientIds:
    """The ids that an account has used."""

    def __init__(self) -> None:
        self._used: set[int] = set()  # the venue's that serve; our own are all below `_next`
        self._next = FIRST_OWN_ID

    def take(self, venue_id: int) -> int:
        """Return an id for an order of the venue that no order of the account had before."""
        if 0 < venue_id < FIRST_OWN_ID and venue_id not in self._used:
            self._used.add(venue_id)
            return venue_id
        self._next += 1
        return self._next - 1
