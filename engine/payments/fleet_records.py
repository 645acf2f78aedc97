"""The commands of a fleet: who shares limits, how the store is, which shares have moved, what others saw.

COMMAND fields, by operation
    FLEET     payment: how many instances share limits, 0: there is no fleet; kind: OnStoreDown of
              merchant_daily; `words` from the beginning: OnStoreDown by Sighted, 0: as LOCAL
    STORE     kind: 1 while the store answers, 0 while it does not
    SHARES    kind (ShareMove), amount: the day of UTC, payment: how many rows, SHARE_ROW_WORDS each from the
              beginning of `words`: name of the merchant, currency, given, taken
    SIGHTINGS kind (Sighted), payment: how many rows, SIGHTING_ROW_WORDS each from the beginning of `words`:
              bucket of T, hash of what was seen, first word of the card's hash

`given` and `taken` are sums of the day, which only grow: whoever says the same once more changes nothing.
So it is with cards that were seen: the newest bucket counts.
"""

from enum import IntEnum

import numpy as np

from engine.payments.command_words import MERCHANT_WORDS
from engine.payments.records import WORDS


class OnStoreDown(IntEnum):
    """What holds for a shared limit while nobody can tell what the others have."""

    LOCAL = 1  # the share that this instance has, and no more
    DECLINE = 2  # nothing is approved that the limit is for
    ALLOW = 3  # the limit checks nothing


class ShareMove(IntEnum):
    """What SHARES does with a row."""

    GIVE = 1  # raise `given` to this sum, as far as something is left
    HAVE = 2  # raise both to what the store has of this instance


class Sighted(IntEnum):
    """Of what distinct cards are counted."""

    DEVICE = 1  # in 24 hours
    IP = 2  # in one hour
    EMAIL = 3  # in 24 hours


FLEET = np.dtype(
    [
        ("is_on", "<i8"),  # a fleet is configured
        ("instances", "<i8"),  # that share a daily limit, from `from_day` on; 0: there never was a fleet
        ("before", "<i8"),  # the same, until then
        ("from_day", "<i8"),
        ("on_store_down", "<i8"),  # OnStoreDown of merchant_daily
        ("is_store_up", "<i8"),  # as the fleet process has said
        ("told_at", "<i8"),  # when, engine time in ns
        ("moves", "<i8"),  # shares given and taken
        ("on_sightings", "<i8", (len(Sighted),)),  # OnStoreDown of each
        ("merged", "<i8"),  # sightings of other instances that were news here
        ("unmerged", "<i8"),  # those for which there was no room
    ]
)
"""The instances that share limits, and the store through which they do."""

SHARE_CURRENCY, SHARE_GIVEN, SHARE_TAKEN = MERCHANT_WORDS, MERCHANT_WORDS + 1, MERCHANT_WORDS + 2
"""Where in a row of SHARES its numbers lie, behind the merchant's name."""
SHARE_ROW_WORDS = MERCHANT_WORDS + 3
SHARE_ROWS_MAX = WORDS // SHARE_ROW_WORDS
SIGHTING_ROW_WORDS = 4
SIGHTING_ROWS_MAX = WORDS // SIGHTING_ROW_WORDS
SIGHTED_MAX = 2**12
"""So many of its newest sightings an instance keeps for the fleet process, a power of two."""
SIGHTED = np.dtype([("kind", "<i8"), ("row", "<i8", (SIGHTING_ROW_WORDS,))])
"""One of them: Sighted, and a row as SIGHTINGS has it."""
STORE_SILENCE_NS = 5_000_000_000
"""A store of which nothing was said for so long is down, by the engine's clock."""
