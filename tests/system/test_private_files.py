"""What an instance writes is for its own user alone, whatever the umask it was started under."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.contract import instance
from tests.system.running import Running

Start = Callable[..., Running]
OWN = """
import sys
from pathlib import Path
from engine.runtime.supervision.ownership import owned
with owned(Path(sys.argv[1])):
    pass
"""
OF_THE_TEST = {"stderr.txt"}


def modes_below(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield (path, mode, mode that it may have) of all that lies in a folder, and of itself."""
    for path in (folder, *folder.rglob("*")):
        if path.name not in OF_THE_TEST and not path.is_symlink():
            allowed = 0o600 if path.is_file() else 0o700  # folders, and the socket of the database
            yield str(path.relative_to(folder)), path.lstat().st_mode & 0o777, allowed


def run(*arguments: str, umask: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "pinion.cli.main", *arguments], check=True, capture_output=True, umask=umask
    )


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_all_files_of_a_data_folder_are_0600_and_its_folders_0700(
    start: Start, tmp_path: Path, umask: int
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    running = start(data_dir=data_dir, umask=umask)
    running.await_ready()
    run("digest", "--data", str(data_dir), umask=umask)

    found = list(modes_below(data_dir))
    shared = [Path("/dev/shm", name) for name in instance.read(data_dir).segments.values()]
    found += [(str(path), path.stat().st_mode & 0o777, 0o600) for path in shared]
    assert running.stop() == 0
    found += list(modes_below(data_dir))  # with a snapshot, without what goes at the stop

    assert [each for each in found if each[1] & ~each[2]] == []
    names = {name for name, *_ in found}
    assert {"epoch", "demo.key", "instance.json", "journal/layout.json", "digest.json"} <= names
    assert any(name.startswith("snapshots/") for name in names)


def test_folders_that_a_start_makes_above_the_data_folder_are_private(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", OWN, str(tmp_path / "a" / "b" / "data")], umask=0, check=True)

    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "data"]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 3


def test_an_umask_that_takes_from_the_owner_does_not_harm(start: Start) -> None:
    """Files of mode 0 could not be opened a second time, by anyone but root."""
    running = start(umask=0o777)
    running.await_ready()

    epoch = running.data_dir / "epoch"

    assert epoch.stat().st_mode & 0o777 == 0o600
    assert os.access(epoch, os.R_OK)
    assert running.stop() == 0
