"""Commands of the fleet: who shares the daily limits, whether the store is up, which shares have moved."""

import numpy as np

from engine.payments import constants as k
from engine.payments.fleet_records import (
    SHARE_CURRENCY,
    SHARE_GIVEN,
    SHARE_ROW_WORDS,
    SHARE_TAKEN,
    ShareMove,
)
from engine.payments.kernels.accounts import find_merchant, find_row
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.set_up import tell_done
from engine.payments.kernels.shares import share_of
from engine.payments.kernels.windows import DAY_MS
from ringbuf.kernel import kernel

ONE = np.int64(1)
GIVE = np.int64(ShareMove.GIVE)


@kernel
def join_fleet(s, command):
    """Take over how many instances share limits: at once the first time, later from the next day on.

    Whoever leaves the fleet counts as the only one from then on.
    """
    f, today, instances = s.fleet[0], s.now // DAY_MS, max(command["payment"], ONE)
    if f.instances == 0:
        f.before = instances
        f.from_day = today
    elif instances != f.instances:
        if today >= f.from_day:
            f.before = f.instances
        f.from_day = today + 1
    f.instances = instances
    f.is_on = command["payment"] != 0
    f.on_store_down = command["kind"]
    for at in range(len(f.on_sightings)):
        f.on_sightings[at] = command["words"][at]
    f.is_store_up = 0
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def follow_store(s, command):
    """Note whether the store answers."""
    f = s.fleet[0]
    f.is_store_up = command["kind"]
    f.told_at = s.eng_ts
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def move_shares(s, command):
    """Move shares of some merchants' limits; those of a day that has passed mean nothing any more."""
    words, day, move = command["words"], command["amount"], np.int64(command["kind"])
    if day == s.now // DAY_MS and s.fleet[0].instances != 0:
        for place in range(command["payment"]):
            _move(s, words, place * SHARE_ROW_WORDS, day, move)
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def _move(s, words, at, day, move):
    """Move the share of one row; of a merchant or a currency that is not known there is none."""
    merchant = find_merchant(s, words[at], words[at + 1], words[at + 2])
    row = NIL if merchant == NIL else find_row(s, merchant, words[at + SHARE_CURRENCY])
    if row == NIL:
        return
    if s.rows[row].share_day != day:
        s.rows[row].share_day = day
        s.rows[row].given = 0
        s.rows[row].taken = 0
    before = s.rows[row].given + s.rows[row].taken
    if move == GIVE:
        spent = s.rows[row].day_sum if s.rows[row].day == day else np.int64(0)
        left = np.int64(0) if s.rows[row].daily == NIL else share_of(s, row) - spent
        more = min(words[at + SHARE_GIVEN] - s.rows[row].given, left)
        s.rows[row].given += max(more, np.int64(0))
    else:
        s.rows[row].given = max(s.rows[row].given, words[at + SHARE_GIVEN])
        s.rows[row].taken = max(s.rows[row].taken, words[at + SHARE_TAKEN])
    if s.rows[row].given + s.rows[row].taken != before:
        s.fleet[0].moves += 1
