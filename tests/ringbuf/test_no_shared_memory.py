"""A machine without /dev/shm, as some containers and chroots are."""

from pathlib import Path

import pytest

from ringbuf.segment_header import SHM, SegmentSpaceError
from ringbuf.segment_space import require_memory


def test_missing_folder_is_named_with_the_mend(tmp_path: Path) -> None:
    missing = tmp_path / "shm"

    with pytest.raises(SegmentSpaceError) as raised:
        require_memory(missing)

    assert str(raised.value).startswith(f"{missing}: there is no such folder")
    assert str(raised.value).endswith(f"mount -t tmpfs -o mode=1777 tmpfs {missing}")


def test_file_in_its_place_is_no_shared_memory(tmp_path: Path) -> None:
    (tmp_path / "shm").touch()

    with pytest.raises(SegmentSpaceError, match="there is no such folder"):
        require_memory(tmp_path / "shm")


def test_shared_memory_of_this_machine_will_do() -> None:
    require_memory(SHM)
