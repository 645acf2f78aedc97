"""A process that sees card numbers leaves no core dump, nor do its children."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import ctypes, os, resource, sys
from gateways.payments.core_dumps import forbid_core_dumps
forbid_core_dumps()
PR_GET_DUMPABLE = 3
told = resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(PR_GET_DUMPABLE)
print(told, flush=True)
if os.fork() == 0:
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(PR_GET_DUMPABLE), flush=True)
    os.chdir(sys.argv[1])
    os.abort()
os.wait()
"""


def test_neither_a_process_nor_its_children_leave_a_core_dump(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["((0, 0), 0)", "(0, 0) 0"]
    assert os.listdir(tmp_path) == []
