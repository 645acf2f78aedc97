"""PHASE: what an instrument lets happen, one by one or all in one record (exchange rule S17)."""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.events import done, phase_entered, rejected
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_book
from engine.trading.kernels.validate import check_operator
from engine.trading.records import ALL_INSTRUMENTS
from ringbuf.kernel import kernel

LAST_PHASE = codes.DISABLED


@kernel
def apply_phase(s, command):
    """Apply a PHASE to one instrument or to all: all of them move, or none."""
    reason = check_operator(command)
    only = np.int64(command["instrument"])
    phase = command["value"]
    if reason == codes.OK and only != ALL_INSTRUMENTS and (only < 0 or only >= s.books_used):
        reason = codes.UNKNOWN_INSTRUMENT
    if reason == codes.OK and (phase < codes.PRE_OPEN or phase > LAST_PHASE):
        reason = codes.INVALID_FIELD
    if reason == codes.OK and not _is_built(phase):
        reason = codes.UNSUPPORTED
    first = only if only != ALL_INSTRUMENTS else 0
    end = only + 1 if only != ALL_INSTRUMENTS else s.books_used
    if reason == codes.OK:
        for book in range(first, end):
            if _target(s, book, phase) == codes.CONTINUOUS and _is_crossed(s, book):
                reason = codes.BOOK_CROSSED
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    for book in range(first, end):
        _enter(s, command, book, phase)
    if first == end:
        done(s, command, only)


@kernel
def _is_built(phase):
    """Tell whether a phase is built: auctions, their pause, POST_ONLY and DISABLED are not yet."""
    return (
        phase == codes.PRE_OPEN
        or phase == codes.CONTINUOUS
        or phase == codes.HALTED
        or phase == codes.CANCEL_ONLY
        or phase == codes.CLOSED
    )


@kernel
def _target(s, book, phase):
    """Return the phase that a command leads to: leaving CLOSED restores a halt beneath it."""
    if (
        s.books[book].phase == codes.CLOSED
        and phase != codes.CLOSED
        and s.books[book].phase_beneath == codes.HALTED
    ):
        return codes.HALTED
    return phase


@kernel
def _is_crossed(s, book):
    """Tell whether the best bid meets the best ask, as orders collected in PRE_OPEN may."""
    bid = best_level(s, book, codes.BUY)
    ask = best_level(s, book, codes.SELL)
    return bid != NIL and ask != NIL and s.levels[bid].px >= s.levels[ask].px


@kernel
def _enter(s, command, book, phase):
    """Change the phase of one instrument and report what now holds."""
    touch_book(s, book)
    target = _target(s, book, phase)
    if phase == codes.CLOSED:
        if s.books[book].phase == codes.HALTED:
            s.books[book].phase_beneath = codes.HALTED
    else:
        s.books[book].phase_beneath = 0
    s.books[book].phase = target
    phase_entered(s, command, book, target)
