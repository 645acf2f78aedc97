"""Why an engine accepts nothing more: the values of the latch word, and what they mean for people.

The journaler sets the word when the disk fails or its file is not found under its name any more, the
supervisor when a command kills the worker twice or the data folder is gone. Only another start clears it.
"""

from typing import Any

from engine.contract.control_words import LATCH
from ringbuf.atomics import load_acquire

LATCH_DISK, LATCH_FULL, LATCH_POISON, LATCH_GONE = 1, 2, 3, 4
LATCH_TEXTS = {
    LATCH_DISK: "the disk refused a write or a sync",
    LATCH_FULL: "the disk is full",
    LATCH_POISON: "a command killed the worker twice",
    LATCH_GONE: "the data folder was moved or removed",
}
LATCH_REASONS = {LATCH_DISK: "disk", LATCH_FULL: "full", LATCH_POISON: "poison", LATCH_GONE: "gone"}
"""In one word, for a label of a metric."""


def latched_because(control: Any) -> str | None:
    """Return why nothing more is accepted; None while everything is.

    control : int64[], control block of the journal ring
    """
    cause = int(load_acquire(control, LATCH))  # pairs with the store of whoever latched
    return LATCH_TEXTS.get(cause, f"latch {cause}") if cause else None
