"""A file is there whole, or as it was before."""

import os
from pathlib import Path

import pytest

from ringbuf.whole_files import PRIVATE, write_atomically


@pytest.mark.parametrize("sync", [False, True])
def test_new_content_takes_the_place_of_the_old(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "note"
    write_atomically(path, b"the old, which is longer", sync=sync)

    write_atomically(path, b"new", sync=sync)

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        write_atomically(path, b"new")

    assert list(tmp_path.iterdir()) == [path]
    assert path.is_dir()


@pytest.mark.parametrize(("given", "found"), [(PRIVATE, 0o600), (0o666, 0o644)])
def test_file_has_the_mode_given_less_the_umask(tmp_path: Path, given: int, found: int) -> None:
    path = tmp_path / "note"
    before = os.umask(0o022)
    try:
        write_atomically(path, b"content", mode=given)
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == found
