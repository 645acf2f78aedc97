"""A door's own events: found among all events that it looked at."""

from typing import Any

from ringbuf.njit import njit


@njit
def keep_own(octets: Any, words: Any, count: int, ring: int, places: Any) -> int:
    """Move the events that concern a ring to the front; return how many.

    Parameters
    ----------
    octets, words : int8[n, bytes] and the same events as int64[n, bytes / 8]
    count : int64, how many of them to look at
    ring : int64
    places : int64[m], bytes of an event at which a ring stands that it concerns
    """
    kept = 0
    for i in range(count):
        is_own = False
        for place in places:
            is_own |= octets[i, place] == ring
        if is_own:
            if kept != i:
                for word in range(words.shape[1]):
                    words[kept, word] = words[i, word]
            kept += 1
    return kept
