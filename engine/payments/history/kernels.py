"""What history asks of the state: whether payments stand there as the events left them."""

import numpy as np

from engine.payments.kernels.holds import find_payment
from engine.payments.kernels.rows import NIL
from ringbuf.kernel import kernel

STANDING_COLUMNS = 5
"""approved_amount, captured, refunded, held, state."""


@kernel
def first_disagreeing(s, payments, standing):
    """Return the first payment that the state has otherwise, 0 where there is none.

    Parameters
    ----------
    s : the STATE record after the batch
    payments : int64[n], by their seq
    standing : int64[n, STANDING_COLUMNS], of each as the last event about it says

    One that gave way is nowhere to be looked up. One whose end was not told yet still holds, for whoever
    hears of events alone.
    """
    for place in range(len(payments)):
        at = find_payment(s, payments[place])
        if at == NIL:
            continue
        row, told = s.payments[at], standing[place]
        agrees = told[1] == row.captured and told[2] == row.refunded
        if row.is_untold == 0:
            agrees = agrees and told[0] == row.approved_amount
            agrees = agrees and told[3] == row.held and told[4] == np.int64(row.state)
        if not agrees:
            return payments[place]
    return np.int64(0)
