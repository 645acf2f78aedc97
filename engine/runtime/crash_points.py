"""Places between two stores of the protocol where a test may kill the process.

PINION_CRASH_AT names a point and, after a colon, how often it is passed before: the process
dies there by SIGKILL, as if the machine had chosen that moment. Without it a point costs a comparison.
"""

import os
import signal

VARIABLE = "PINION_CRASH_AT"
_NAME, _, _COUNT = os.environ.get(VARIABLE, "").partition(":")
_left = int(_COUNT or 0)


def crash_point(name: str) -> None:
    """Die here if this point was chosen and its turn has come."""
    global _left
    if name != _NAME:
        return
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _left -= 1
