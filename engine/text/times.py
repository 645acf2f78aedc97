"""Times of a running instance: nanoseconds since 1970, and nothing that was meant in another unit.

A number of 1 to 10**17 lies before April 1973 as nanoseconds and is any time of this age in seconds,
milliseconds or microseconds: as a filter it would take in everything or nothing, as an expiry it would
have passed. 0 is the beginning. In replayed files the clock begins at 0, so they may hold any.
"""

OTHER_UNITS_MAX = 10**17
NANOSECONDS = (
    "is before April 1973 in nanoseconds: give nanoseconds since 1970, such as 1767225600000000000, not "
    "seconds, milliseconds or microseconds"
)
"""The mend for a time that was given in another unit."""


def is_of_another_unit(time: int) -> bool:
    """Tell whether a time cannot have been meant in nanoseconds since 1970."""
    return 1 <= time <= OTHER_UNITS_MAX
