"""Which of the events that a door looked at are its own."""

from typing import Any

from ringbuf.njit import njit


@njit
def keep_own(events: Any, words: Any, count: int, ring: int) -> int:
    """Move the events of this ring, or of its orders, to the front; return how many.

    Parameters
    ----------
    events, words : EVENT[n] and the same memory as int64[n, 32]
    count : int64, how many of them to look at
    """
    kept = 0
    for i in range(count):
        event = events[i]
        if event["ring"] == ring or event["maker_ring"] == ring:
            if kept != i:
                for word in range(words.shape[1]):
                    words[kept, word] = words[i, word]
            kept += 1
    return kept
