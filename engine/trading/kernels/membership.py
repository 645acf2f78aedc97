"""GROUP: which accounts are a group's; it is taken whole, or refused (exchange rule S21).

An account is in one group at most. The accounts of a group report in one currency, which the group has then,
too. Who joins brings what it has and has open, who leaves takes it away; what the group has filled and
asked before stays in its windows. Where one joined or left, the group's losses are measured from now on.
"""

import numpy as np

from engine.trading import codes
from engine.trading.fields import MEMBERS_MAX
from engine.trading.kernels.accounts import add_account, find_account, find_position
from engine.trading.kernels.equity import count_member, equity_of, has_equity, uncount_member
from engine.trading.kernels.events import done, rejected
from engine.trading.kernels.exposure import sum_exposure
from engine.trading.kernels.groups import find_group, first_member, group_of, next_member, sum_positions
from engine.trading.kernels.reducing import level_held
from engine.trading.kernels.state import INSTRUMENT_MASK, NIL
from engine.trading.kernels.touch import touch_account
from engine.trading.kernels.validate import check_operator
from engine.trading.kernels.watch import is_measurable, open_money, renew_watch
from engine.trading.kernels.watch_records import WATCHED_EQUITY, WATCHED_EXPOSURE
from engine.trading.records import MONEY_MAX
from ringbuf.kernel import kernel

LARGEST = np.int64(MONEY_MAX)
NOTHING = np.int64(0)
IN_MONEY = WATCHED_EQUITY | WATCHED_EXPOSURE


@kernel
def apply_group(s, command):
    """Apply a GROUP: DONE, or REJECTED with the account at fault."""
    reason = check_operator(command)
    group = NIL
    if reason == codes.OK and (command["account"] < 1 or command["side"] < 0):
        reason = codes.INVALID_FIELD
    if reason == codes.OK and command["side"] > codes.MEMBERS_REMOVED:
        reason = codes.INVALID_FIELD
    if reason == codes.OK:
        group = find_group(s, command["account"])
        if group == NIL and s.groups_used == len(s.groups):
            reason = codes.GROUPS_FULL
    if reason == codes.OK:
        reason = _check_members(s, command, group)
    if reason != codes.OK:
        rejected(s, command, reason)
        return
    if group == NIL:
        group = add_account(s, -command["account"])
        s.groups[s.groups_used] = group
        s.groups_used += 1
    touch_account(s, group)
    if _change_members(s, command, group):
        _rebase(s, group)
    done(s, command, NIL)


@kernel
def _member(command, k):
    """Return the k-th account that a GROUP names, 0 for none (fields.MEMBER_FIELDS)."""
    if k == 0:
        return command["client_order_id"]
    if k == 1:
        return command["order_id"]
    if k == 2:
        return command["px"]
    if k == 3:
        return command["qty"]
    if k == 4:
        return command["display_qty"]
    if k == 5:
        return command["stop_px"]
    if k == 6:
        return command["expiry"]
    return command["value"] if k == 7 else command["text"][k - 8]


@kernel
def _check_members(s, command, group):
    """Check every account that is named; the first at fault is told."""
    for k in range(MEMBERS_MAX):
        named = _member(command, k)
        if named == 0:
            continue
        reason = codes.OK
        account = find_account(s, named)
        for other in range(k):
            if _member(command, other) == named:
                reason = codes.INVALID_FIELD
        if account == NIL:
            reason = codes.UNKNOWN_ACCOUNT
        elif reason == codes.OK and command["side"] != codes.MEMBERS_REMOVED:
            reason = _check_joining(s, command, group, account)
        elif reason == codes.OK and (group == NIL or group_of(s, account) != group):
            reason = codes.INVALID_FIELD
        if reason != codes.OK:
            s.refused_account = named
            return reason
    return codes.OK


@kernel
def _check_joining(s, command, group, account):
    """Check that an account may be in the group: of no other, of its currency, with nothing it forbids."""
    own = group_of(s, account)
    if own != NIL and own != group:
        return codes.IN_ANOTHER_GROUP
    if s.watches[account].reporting != _reporting_of(s, command, group):
        return codes.REPORTING_CURRENCY
    if own != NIL:
        return codes.OK
    if group != NIL:
        is_stopped = s.accounts[group].is_killed != 0 or level_held(s, group) != codes.LEVEL_NONE
        if is_stopped and s.accounts[account].open_orders != 0:  # of what is stopped there are no orders
            return codes.BLOCKED
        watched = np.int64(s.accounts[group].is_watched)
        if watched & IN_MONEY != 0 and not has_equity(s, account) and not is_measurable(s, account):
            return codes.NO_RATE
    return _check_room(s, command, group, account)


@kernel
def _reporting_of(s, command, group):
    """Return the currency of a group: what its limits or accounts say, else that of the first it is given."""
    if group != NIL:
        is_fixed = np.int64(s.accounts[group].is_watched) & IN_MONEY != 0
        if is_fixed or (s.members[group].head != 0 and _keeps_any(s, command, group)):
            return s.watches[group].reporting
    for k in range(MEMBERS_MAX):
        account = find_account(s, _member(command, k))
        if account != NIL:
            return s.watches[account].reporting
    return NIL


@kernel
def _keeps_any(s, command, group):
    """Tell whether an account that is in the group stays there."""
    if command["side"] != codes.MEMBERS_WHOLE:
        return True
    for k in range(MEMBERS_MAX):
        account = find_account(s, _member(command, k))
        if account != NIL and group_of(s, account) == group:
            return True
    return False


@kernel
def _check_room(s, command, group, account):
    """Check that the group's positions have room, and that what they sum up stays within 2**62."""
    wanted = NOTHING
    money = open_money(s, group) if group != NIL else NOTHING
    for k in range(MEMBERS_MAX):
        other = find_account(s, _member(command, k))
        if other == NIL or (group != NIL and group_of(s, other) == group):
            continue
        money = min(money + open_money(s, other), LARGEST + 1)
        position = np.int64(s.accounts[other].positions_head) - 1
        while position != NIL:  # once for each of its instruments
            book = s.positions[position].key & INSTRUMENT_MASK
            wanted += np.int64(group == NIL or find_position(s, group, book) == NIL)
            position = np.int64(s.positions[position].account_next) - 1
    if s.positions_used + wanted > len(s.positions):
        return codes.POSITIONS_FULL
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:
        book = s.positions[position].key & INSTRUMENT_MASK
        if _lots_after(s, command, group, book) > LARGEST:
            return codes.OVERFLOW
        position = np.int64(s.positions[position].account_next) - 1
    return codes.OVERFLOW if money > LARGEST else codes.OK


@kernel
def _lots_after(s, command, group, book):
    """Return the lots that the group and all who are named hold and have open in an instrument."""
    position = find_position(s, group, book) if group != NIL else NIL
    lots = NOTHING
    if position != NIL:
        lots = s.gross_qty[position] + s.positions[position].open_buy + s.positions[position].open_sell
    for k in range(MEMBERS_MAX):
        account = find_account(s, _member(command, k))
        if account == NIL or (group != NIL and group_of(s, account) == group):
            continue
        position = find_position(s, account, book)
        if position != NIL:  # each is 2**62 at most
            lots = min(lots + abs(s.positions[position].qty), LARGEST)
            lots = min(lots + s.positions[position].open_buy, LARGEST)
            lots = min(lots + s.positions[position].open_sell, LARGEST + 1)
    return lots


@kernel
def _change_members(s, command, group):
    """Let accounts leave and join as the command says; tell whether any did."""
    is_changed = False
    account = first_member(s, group)
    while account != NIL:
        after = next_member(s, account)
        is_named = _is_named(s, command, account)
        is_going = command["side"] == codes.MEMBERS_WHOLE and not is_named
        if is_going or (command["side"] == codes.MEMBERS_REMOVED and is_named):
            _leave(s, group, account)
            is_changed = True
        account = after
    if command["side"] == codes.MEMBERS_REMOVED:
        return is_changed
    for k in range(MEMBERS_MAX):
        account = find_account(s, _member(command, k))
        if account != NIL and group_of(s, account) == NIL:
            _join(s, group, account)
            is_changed = True
    return is_changed


@kernel
def _is_named(s, command, account):
    for k in range(MEMBERS_MAX):
        if _member(command, k) == s.accounts[account].account:
            return True
    return False


@kernel
def _join(s, group, account):
    """Put an account into the group, behind those that are there."""
    touch_account(s, account)
    last = np.int64(s.members[group].tail) - 1
    if last == NIL:
        s.members[group].head = account + 1
        s.watches[group].reporting = s.watches[account].reporting
    else:
        s.members[last].next = account + 1
    s.members[account].prev = last + 1
    s.members[account].group = group + 1
    s.members[group].tail = account + 1
    sum_positions(s, group, account, np.int64(1))
    watched = np.int64(s.accounts[group].is_watched)
    if watched & WATCHED_EXPOSURE != 0:
        sum_exposure(s, group, account, np.int64(1))
    renew_watch(s, account)
    if watched & WATCHED_EQUITY != 0:
        count_member(s, account)


@kernel
def _leave(s, group, account):
    """Take an account out of the group."""
    touch_account(s, account)
    if s.members[account].is_counted != 0:
        uncount_member(s, account)
    if np.int64(s.accounts[group].is_watched) & WATCHED_EXPOSURE != 0:
        sum_exposure(s, group, account, np.int64(-1))
    sum_positions(s, group, account, np.int64(-1))
    before, after = np.int64(s.members[account].prev) - 1, np.int64(s.members[account].next) - 1
    if before == NIL:
        s.members[group].head = after + 1
    else:
        s.members[before].next = after + 1
    if after == NIL:
        s.members[group].tail = before + 1
    else:
        s.members[after].prev = before + 1
    s.members[account].group = 0
    s.members[account].next = 0
    s.members[account].prev = 0
    renew_watch(s, account)


@kernel
def _rebase(s, group):
    """Measure the group's losses from its equity of now."""
    if not has_equity(s, group):
        return
    equity, _ = equity_of(s, group)
    s.watches[group].peak = equity
    s.watches[group].day_start = equity
    for latch in range(codes.LATCH_DAILY_LOSS, codes.LATCH_DRAWDOWN_BPS + 1):
        s.watches[group].is_warned[latch] = 0
