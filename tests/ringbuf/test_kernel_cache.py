"""The kernels' cache folder changes with whatever changes the compiled code."""

import os
import subprocess
import sys

from ringbuf import kernel_cache


def folder_in(environment):
    program = "from ringbuf.kernel_cache import cache_folder; print(cache_folder())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_ring_kernels_are_among_the_sources():
    names = {path.name for path in kernel_cache.kernel_sources()}

    assert {"atomics.py", "spsc.py", "broadcast.py", "seqlock.py", "records.py"} <= names


def test_the_folder_lies_below_the_one_that_is_named(tmp_path):
    assert folder_in({"PINION_KERNEL_CACHE": str(tmp_path)}).startswith(f"{tmp_path}/")


def test_checked_and_unchecked_code_are_kept_apart(tmp_path):
    folders = {
        folder_in({"PINION_KERNEL_CACHE": str(tmp_path), "NUMBA_BOUNDSCHECK": checked}) for checked in "01"
    }

    assert len(folders) == 2
