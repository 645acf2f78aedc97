"""PHASE: what an instrument lets happen, one by one or all in one record (exchange rule S17)."""

import numpy as np

from engine.trading.kernels.events import done, phase_entered, rejected
from engine.trading.kernels.levels import best_level
from engine.trading.kernels.state import NIL
from engine.trading.kernels.touch import touch_book
from engine.trading.kernels.validate import check_operator
from engine.trading.records import ALL_INSTRUMENTS, Phase, Reason, Side
from ringbuf.kernel import kernel

OK = np.int64(Reason.NONE)
UNSUPPORTED = np.int64(Reason.UNSUPPORTED)
INVALID_FIELD = np.int64(Reason.INVALID_FIELD)
UNKNOWN_INSTRUMENT = np.int64(Reason.UNKNOWN_INSTRUMENT)
BOOK_CROSSED = np.int64(Reason.BOOK_CROSSED)
BUY = np.int64(Side.BUY)
SELL = np.int64(Side.SELL)
PRE_OPEN = np.int64(Phase.PRE_OPEN)
CONTINUOUS = np.int64(Phase.CONTINUOUS)
HALTED = np.int64(Phase.HALTED)
CANCEL_ONLY = np.int64(Phase.CANCEL_ONLY)
CLOSED = np.int64(Phase.CLOSED)
LAST_PHASE = np.int64(Phase.DISABLED)


@kernel
def apply_phase(s, command):
    """Apply a PHASE to one instrument or to all: all of them move, or none."""
    reason = check_operator(command)
    only = np.int64(command["instrument"])
    phase = command["value"]
    if reason == OK and only != ALL_INSTRUMENTS and (only < 0 or only >= s.books_used):
        reason = UNKNOWN_INSTRUMENT
    if reason == OK and (phase < PRE_OPEN or phase > LAST_PHASE):
        reason = INVALID_FIELD
    if reason == OK and not _is_built(phase):
        reason = UNSUPPORTED
    first = only if only != ALL_INSTRUMENTS else 0
    end = only + 1 if only != ALL_INSTRUMENTS else s.books_used
    if reason == OK:
        for book in range(first, end):
            if _target(s, book, phase) == CONTINUOUS and _is_crossed(s, book):
                reason = BOOK_CROSSED
    if reason != OK:
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
        phase == PRE_OPEN or phase == CONTINUOUS or phase == HALTED or phase == CANCEL_ONLY or phase == CLOSED
    )


@kernel
def _target(s, book, phase):
    """Return the phase that a command leads to: leaving CLOSED restores a halt beneath it."""
    if s.books[book].phase == CLOSED and phase != CLOSED and s.books[book].phase_beneath == HALTED:
        return HALTED
    return phase


@kernel
def _is_crossed(s, book):
    """Tell whether the best bid meets the best ask, as orders collected in PRE_OPEN may."""
    bid = best_level(s, book, BUY)
    ask = best_level(s, book, SELL)
    return bid != NIL and ask != NIL and s.levels[bid].px >= s.levels[ask].px


@kernel
def _enter(s, command, book, phase):
    """Change the phase of one instrument and report what now holds."""
    touch_book(s, book)
    target = _target(s, book, phase)
    if phase == CLOSED:
        if s.books[book].phase == HALTED:
            s.books[book].phase_beneath = HALTED
    else:
        s.books[book].phase_beneath = 0
    s.books[book].phase = target
    phase_entered(s, command, book, target)
