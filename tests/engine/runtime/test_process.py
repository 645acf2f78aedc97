"""A forked process is stopped by what stops it, from its first moment on."""

import signal
import subprocess
import sys

from ringbuf.kernel_cache import ROOT

FORKS = """
import os, signal, sys
from engine.runtime import process

signal.signal(signal.SIGTERM, lambda *_: None)  # the parent's, which a child must never run
begun = process._become_child

def late(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)  # it comes before the child has handlers of its own
    begun(*arguments)

process._become_child = late
child = process.fork("child", lambda: 0, ())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_signal_to_stop_that_comes_right_behind_the_fork_stops_the_child() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKS], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(ended.stdout) == -signal.SIGTERM
