"""Apply one command to the state: the single entrance to the trading application.

Pure: the same state and the same numbered command give the same events and the same
state, compiled or not. Time, identity and order arrive inside the arguments.
"""

import numpy as np

from engine.trading.kernels.admin import apply_account, apply_currency, apply_instrument, apply_mark
from engine.trading.kernels.amend import apply_replace
from engine.trading.kernels.cancel import apply_cancel, apply_mass_cancel, apply_session_end
from engine.trading.kernels.events import finish, rejected
from engine.trading.kernels.limits import apply_limits
from engine.trading.kernels.phases import apply_phase
from engine.trading.kernels.submit import apply_new
from engine.trading.records import Op, Reason
from ringbuf.kernel import kernel

TICK = np.int64(Op.TICK)
NEW = np.int64(Op.NEW)
CANCEL = np.int64(Op.CANCEL)
REPLACE = np.int64(Op.REPLACE)
MASS_CANCEL = np.int64(Op.MASS_CANCEL)
SESSION_DOWN = np.int64(Op.SESSION_DOWN)
QUARANTINED_OP = np.int64(Op.QUARANTINED)
CURRENCY = np.int64(Op.CURRENCY)
INSTRUMENT = np.int64(Op.INSTRUMENT)
ACCOUNT = np.int64(Op.ACCOUNT)
LIMITS = np.int64(Op.LIMITS)
PHASE = np.int64(Op.PHASE)
MARK = np.int64(Op.MARK)
TIME = np.int64(Op.TIME)
SESSION_END = np.int64(Op.SESSION_END)
UNKNOWN_OP = np.int64(Reason.UNKNOWN_OP)
UNSUPPORTED = np.int64(Reason.UNSUPPORTED)
QUARANTINED = np.int64(Reason.QUARANTINED)
NEVER = 2**63 - 1


@kernel
def apply(s, command, seq, eng_ts, ring):
    """Apply a command; append its events to those in `s.out` and return how many they are.

    Parameters
    ----------
    s : the STATE record
    command : a COMMAND record
    seq : int64, of this command; one more than the last
    eng_ts : int64, engine clock in ns, never less than before
    ring : int64, the ring the command came through

    Every command makes one event at least, except TICK and TIME. The versions of the
    books and accounts it wrote are odd and listed in `s.opened`: the caller closes them.
    It also takes the events away and sets `s.out_count` to 0 (engine/contract/batches.py).
    """
    s.seq = seq
    s.eng_ts = eng_ts
    s.ring = ring
    s.out_first = s.out_count
    op = command["op"]
    if op == NEW:
        apply_new(s, command)
    elif op == REPLACE:
        apply_replace(s, command)
    elif op == CANCEL:
        apply_cancel(s, command)
    elif op != TICK and op != TIME:
        _apply_rare(s, command, op)
    finish(s)
    return s.out_count - s.out_first


@kernel
def _apply_rare(s, command, op):
    """Apply a command of a kind that comes seldom."""
    if op == MASS_CANCEL:
        apply_mass_cancel(s, command)
    elif op == SESSION_END:
        apply_session_end(s, command)
    elif op == CURRENCY:
        apply_currency(s, command)
    elif op == INSTRUMENT:
        apply_instrument(s, command)
    elif op == ACCOUNT:
        apply_account(s, command)
    elif op == LIMITS:
        apply_limits(s, command)
    elif op == PHASE:
        apply_phase(s, command)
    elif op == MARK:
        apply_mark(s, command)
    elif op == SESSION_DOWN:
        rejected(s, command, UNSUPPORTED)
    elif op == QUARANTINED_OP:
        rejected(s, command, QUARANTINED)
    else:
        rejected(s, command, UNKNOWN_OP)


@kernel
def next_due(s):
    """Return the engine time at which the next timer falls due: never, so far."""
    return NEVER
