"""What a rule says of a request: nothing, or a reply code and the field at fault, in one number.

A rule is `validate(payload, ctx)`, a pure function of integers: `payload` is the request as COMMAND has it
(engine/payments/records.py), `ctx` what the engine knows beside it (CONTEXT, kernels/state.py). It may be
called with any object that has these attributes, compiled or not.
"""

PASS = 0
FIELD_SHIFT = 8
CODE_MASK = (1 << FIELD_SHIFT) - 1
OFF = -1
"""A limit that is not set."""
UNKNOWN = -2
"""A limit that is set, and of which nobody can say what is left."""
AWAY = 2**32
"""A count that is greater is one of which nobody can say what it is."""


def verdict(code: int, field: int) -> int:
    """Return what a rule returns that finds something: both are constants of its module."""
    return int(code) | int(field) << FIELD_SHIFT
