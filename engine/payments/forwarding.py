"""What becomes of a payment at the processor that it is forwarded to, and what its row knows of that."""

from enum import IntEnum


class Processed(IntEnum):
    """What became of a pending payment at the processor; `kind` of PROCESSED."""

    APPROVED = 1
    DECLINED = 2
    UNKNOWN = 3  # it may have got the payment, and did not say what came of it
    NOT_SENT = 4  # it never got the payment


class Forwarding(IntEnum):
    """What the row of a payment knows of the processor."""

    NONE = 0  # it was not forwarded
    FORWARDED = 1
    OWED = 2  # its reversal is owed: it is to be sent until it is confirmed
    REVERSED = 3  # the processor has confirmed its reversal
