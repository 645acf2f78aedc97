"""Output files: whole under their names or not there, earlier ones until then, and never one that is read."""

import os
import stat
from pathlib import Path

import pytest

from pinion.cli.outputs import OutputError, output, refuse_overwriting

EARLIER = b"an earlier result\n"


class DamagedInput(Exception):  # noqa: N818 - what happened
    """Stands for the error of an input that is damaged in its midst."""


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    path = tmp_path / "result"
    path.write_bytes(EARLIER)
    return path


def write_and_fail(path: Path, content: bytes, error: BaseException) -> None:
    with output(str(path), lambda raised: isinstance(raised, DamagedInput)) as file:
        file.write(content)
        raise error


def test_output_takes_its_name_only_when_it_is_whole(earlier: Path) -> None:
    with output(str(earlier)) as file:
        file.write(b"new")
        file.flush()
        assert earlier.read_bytes() == EARLIER

    assert earlier.read_bytes() == b"new"
    assert os.listdir(earlier.parent) == [earlier.name]


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit(1)])
def test_failed_run_leaves_the_earlier_output_and_nothing_beside_it(
    earlier: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        write_and_fail(earlier, b"half", error)

    assert earlier.read_bytes() == EARLIER
    assert os.listdir(earlier.parent) == [earlier.name]


def test_what_came_before_a_damaged_place_of_the_input_is_kept(earlier: Path) -> None:
    with pytest.raises(DamagedInput):
        write_and_fail(earlier, b"right so far", DamagedInput())

    assert earlier.read_bytes() == b"right so far"
    assert os.listdir(earlier.parent) == [earlier.name]


def test_a_link_stays_and_its_file_is_replaced_with_mode_and_owner(earlier: Path) -> None:
    earlier.chmod(0o640)
    link = earlier.with_name("link")
    link.symlink_to(earlier.name)

    with output(str(link)) as file:
        file.write(b"new")

    assert link.is_symlink()
    assert earlier.read_bytes() == b"new"
    assert stat.S_IMODE(earlier.stat().st_mode) == 0o640


def test_new_output_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()

    with output(str(tmp_path / "made")) as file:
        file.write(b"new")

    assert (tmp_path / "made").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)

    with output(str(path)) as file:
        file.write(b"new")

    assert path.read_bytes() == b"new"


def test_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with output(str(path)) as file:
            file.write(b"through")
        assert os.read(reading, 100) == b"through"
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_open_file_is_written_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as before:
        before.write(b"before ")
        with output(f"/dev/fd/{before.fileno()}") as file:
            file.write(b"between ")
        before.write(b"after")

    assert path.read_bytes() == b"before between after"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/dev/full", "No space left on device"),
        ("nowhere/result", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/fd/987", "Bad file descriptor"),
    ],
)
def test_error_of_an_output_names_it(name: str, why: str) -> None:
    with pytest.raises(OSError, match=why) as raised, output(name) as file:
        file.write(b"x" * 2**20)

    assert raised.value.filename == name


@pytest.mark.parametrize("way", ["itself", "a longer path", "a symbolic link", "a hard link", "a link to it"])
def test_output_that_is_the_input_is_refused(earlier: Path, way: str) -> None:
    name = earlier.with_name("other")
    if way == "a symbolic link":
        name.symlink_to(earlier)
    elif way == "a hard link":
        name.hardlink_to(earlier)
    read, written = earlier, name
    if way == "itself":
        written = earlier
    elif way == "a longer path":
        written = earlier.parent / ".." / earlier.parent.name / earlier.name
    elif way == "a link to it":
        name.symlink_to(earlier)
        read, written = name, earlier

    with pytest.raises(OutputError, match=r"--events .*the input"):
        refuse_overwriting([read], {"--book": None, "--events": str(written)})


def test_output_within_a_folder_that_is_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "segment").touch()
    (tmp_path / "link").hardlink_to(folder / "segment")
    (tmp_path / "way").symlink_to(folder)

    for name in ("journal/segment", "journal/new", "link", "way/new"):
        with pytest.raises(OutputError, match=f"--orders .*{name}"):
            refuse_overwriting([folder], {"--orders": str(tmp_path / name)})
    refuse_overwriting([folder], {"--orders": str(tmp_path / "beside")})


def test_one_file_for_two_outputs_is_refused(earlier: Path) -> None:
    link = earlier.with_name("link")
    link.symlink_to("result")
    missing = earlier.with_name("missing")

    for one, other in ((earlier, earlier), (earlier, link), (missing, missing)):
        with pytest.raises(OutputError, match=r"--book .*is the file of --events"):
            refuse_overwriting([], {"--events": str(one), "--book": str(other)})


def test_streams_and_devices_may_be_named_twice(earlier: Path) -> None:
    for name in ("-", "/dev/null", "/dev/stdout", "/dev/full"):
        refuse_overwriting([earlier], {"--events": name, "--book": name})
