"""The beginning and end of every command: streams that exist, errors as one line, an exit code a kind.

0   done
1   failed; also stopped by a signal, or because nobody reads the output any more
2   wrong usage or configuration
"""

import sys
from collections.abc import Callable

from engine.contract.errors import ToldError, UsageError, reason_of
from engine.contract.stop_signals import interrupt_on_stop_signals
from pinion.cli.streams import drop_unwritten, open_standard_streams

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def begin() -> None:
    """Prepare this process, before it opens anything: its streams, and the signals that stop it."""
    open_standard_streams()
    interrupt_on_stop_signals()


def exit_code(name: str, run: Callable[[], int]) -> int:
    """Run a command and return its exit code; what it cannot go on with is told in one line.

    name : what the line begins with, such as `pinion replay`
    """
    try:
        return _flushed(run)
    except KeyboardInterrupt:
        return _told(name, "stopped by a signal", FAILED)
    except UsageError as error:
        return _told(name, str(error), WRONG_USAGE)
    except ToldError as error:
        return _told(name, str(error), FAILED)
    except BrokenPipeError:  # the reader of the output left, as `head` does: nothing is wrong
        return FAILED
    except OSError as error:
        return _told(name, text_of(error), FAILED)
    finally:
        drop_unwritten()


def _flushed(run: Callable[[], int]) -> int:
    """Run; what was printed has gone out behind it, also what a `--help` printed before it ended all."""
    try:
        code = run()
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code


def text_of(error: OSError) -> str:
    """Return what failed and why, in words."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {reason_of(error)}"


def _told(name: str, text: str, code: int) -> int:
    print(f"{name}: {text}", file=sys.stderr)
    return code
