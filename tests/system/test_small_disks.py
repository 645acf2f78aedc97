"""A file system that a test made goes with the test, also when it is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.small_disks import MAY_MOUNT

MOUNTS_AND_WAITS = """
import sys, time
from pathlib import Path
from tests.system.small_disks import mounted
with mounted(Path(sys.argv[1]), int(sys.argv[2])):
    Path(sys.argv[1], "inside").touch()
    print("mounted", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("mebibytes", [1] if MAY_MOUNT else [])
def test_a_killed_test_leaves_no_mount(tmp_path: Path, mebibytes: int) -> None:
    folder = tmp_path / "data"
    command = [sys.executable, "-c", MOUNTS_AND_WAITS, str(folder), str(mebibytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout is not None
        assert test.stdout.readline() == "mounted\n"
        test.kill()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert list(folder.iterdir()) == []
    folder.rmdir()
