"""The rolling hash of all events (exchange rule S27): two engines that agree on it made the same ones.

It runs over the events' slots in their order, wherever batches end, behind the moving of a burst's events:
words that were stored one by one a moment ago cannot be loaded four at a time before they have
reached the cache, and a command that hashed its own events would wait for that.
"""

from typing import Any

from engine.contract.spread import SLOT_WORDS
from ringbuf.folding import FOLDED_WORDS, fold_words
from ringbuf.kernel import kernel

assert FOLDED_WORDS == SLOT_WORDS


@kernel
def hash_events(s: Any) -> None:
    """Roll the events in `s.out` that are not in it yet into `s.event_hash`."""
    rolling = s.event_hash
    slot = s.out_hashed
    while slot < s.out_count:
        # One round of Marsaglia's xorshift64 a slot: order matters, nothing overflows.
        rolling ^= fold_words(s.out, slot)
        rolling ^= rolling << 13
        rolling ^= (rolling >> 7) & 0x1FFFFFFFFFFFFFF
        rolling ^= rolling << 17
        slot += 1
    s.event_hash = rolling
    s.out_hashed = slot


@kernel
def forget_events(s: Any) -> None:
    """Empty `s.out`: its events have been moved and hashed."""
    s.out_count = 0
    s.out_hashed = 0
