"""What an account's orders are paid from: its cash, or on margin its equity (ACCOUNT; exchange rule S21).

It is changed only while the account is flat: without positions and open orders.
"""

import numpy as np

from engine.trading import codes
from engine.trading.kernels.rates import has_rate
from engine.trading.kernels.state import NIL, ON_MARGIN
from engine.trading.kernels.watch import renew_watch
from ringbuf.kernel import kernel

NOTHING = np.int64(0)


@kernel
def funded_by(s, command, account):
    """Return ON_MARGIN where an account is on margin after an ACCOUNT, else 0; account NIL = a new one."""
    given = np.int64(command["side"])
    if given == 0 and account != NIL:
        return np.int64(s.accounts[account].unlimited) & ON_MARGIN
    return ON_MARGIN if given == codes.FUNDING_MARGIN else NOTHING


@kernel
def check_funding(s, command, account):
    """Check what an ACCOUNT says of its funding; account NIL = a new one."""
    given = np.int64(command["side"])
    if given < 0 or given > codes.FUNDING_MARGIN:
        return codes.INVALID_FIELD
    funded = funded_by(s, command, account)
    if funded == ON_MARGIN and command["flags"] & codes.FLAG_UNLIMITED != 0:
        return codes.INVALID_FIELD
    if account != NIL and funded != np.int64(s.accounts[account].unlimited) & ON_MARGIN:
        return codes.OK if _is_flat(s, account) else codes.NOT_FLAT
    return codes.OK


@kernel
def is_convertible(s, account, reporting):
    """Tell whether all money of an account can be counted in a currency; account NIL has none."""
    if account != NIL:
        for currency in range(s.currencies_used):
            if s.balances[currency, account].total != 0 and not has_rate(s, currency, reporting):
                return False
    return True


@kernel
def fund(s, command, account):
    """Write what an account is funded by, and begin or stop to keep what that needs."""
    was = np.int64(s.accounts[account].unlimited) & ON_MARGIN
    funded = funded_by(s, command, account)
    s.accounts[account].unlimited = funded | (command["flags"] & codes.FLAG_UNLIMITED)
    if funded != was:
        s.watches[account].is_warned[codes.LATCH_MAINTENANCE] = 0
        renew_watch(s, account)


@kernel
def _is_flat(s, account):
    """Tell whether an account has neither open orders nor a position."""
    if s.accounts[account].open_orders != 0:
        return False
    position = np.int64(s.accounts[account].positions_head) - 1
    while position != NIL:  # once for each of its instruments
        if s.positions[position].qty != 0:
            return False
        position = np.int64(s.positions[position].account_next) - 1
    return True
