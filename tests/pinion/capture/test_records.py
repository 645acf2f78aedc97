"""The files of a capture: what is whole is read, and what is not is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pinion.capture.records import CaptureError, Dropped, lines, link_of, read
from pinion.capture.verify import verify
from pinion.capture.writer import RecordWriter
from tests.pinion.capture.captured import ABOUT, pair, written

Lines = list[bytes]


def test_pairs_are_read_as_they_were_written_with_their_numbers(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 5)

    found = list(read(folder))

    assert [each.n for each in found] == [1, 2, 3, 4, 5]
    assert [each.request for each in found] == [f"request {number}" for number in range(5)]


def test_a_line_has_its_members_in_order_and_the_digest_of_the_line_before(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 2)

    first, second = (folder / "records-000001.jsonl").read_bytes().splitlines()

    assert list(json.loads(first)) == [
        *("n", "at_ms", "method", "path", "request", "status", "reply", "headers", "duration_us", "prev"),
    ]
    assert json.loads(first)["prev"] == "0" * 32
    assert json.loads(second)["prev"] == link_of(first)


def test_the_chain_goes_on_over_files(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 10, file_bytes=500)

    assert len(list(folder.glob("records-*.jsonl"))) == 4
    assert len(list(read(folder))) == 10


def test_where_pairs_are_missing_a_line_says_how_many(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, ABOUT)
    writer.append([pair(1)], dropped=2)
    writer.append([pair(2)])
    writer.append([], dropped=3)
    writer.close(9)

    found = list(lines(tmp_path))

    assert [(each.n, each.dropped) for each in found if isinstance(each, Dropped)] == [(1, 2), (3, 3)]
    assert [each.n for each in read(tmp_path)] == [1, 2]
    assert (verify(tmp_path).records, verify(tmp_path).dropped) == (2, 5)


def test_a_capture_without_an_end_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 3, is_ended=False)
    path = folder / "records-000001.jsonl"
    whole = path.read_bytes()

    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        assert len(list(read(folder))) == whole[:size].count(b"\n")


def without(number: int) -> Callable[[Lines], Lines]:
    return lambda given: given[:number] + given[number + 1 :]


def replaced(number: int, old: bytes, new: bytes) -> Callable[[Lines], Lines]:
    return lambda given: [each.replace(old, new) if at == number else each for at, each in enumerate(given)]


@pytest.mark.parametrize(
    ("harm", "line", "what"),
    [
        (without(0), 1, "prev is"),
        (without(2), 3, "prev is"),
        (lambda given: [*given[:2], given[1], *given[2:]], 3, "prev is"),
        (lambda given: [given[1], given[0], *given[2:]], 1, "prev is"),
        (replaced(2, b"request 2", b"request x"), 4, "prev is"),
        (replaced(0, b'"n":1', b'"n":2'), 1, "n is 2, 1 was to come"),
        (replaced(4, b'"n":5', b'"n":7'), 5, "n is 7, 5 was to come"),
        (replaced(1, b'"status":200', b'"status":"200"'), 2, "another form"),
        (replaced(1, b'"status":200', b'"status":null'), 2, "one of status and reply"),
        (replaced(1, b'"at_ms"', b'"at"'), 2, "another form"),
        (replaced(1, b'"method":"POST",', b""), 2, "another form"),
        (replaced(1, b"{", b""), 2, "another form"),
        (lambda given: [*given[:1], b"", *given[1:]], 2, "another form"),
        (lambda given: [b'{"n":1,"dropped":0,"prev":"%b"}' % (b"0" * 32)], 1, "another form"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_as_it_should_be_is_named(
    tmp_path: Path, harm: Callable[[Lines], Lines], line: int, what: str
) -> None:
    folder = written(tmp_path / "capture", 5)
    path = folder / "records-000001.jsonl"
    path.write_bytes(b"".join(each + b"\n" for each in harm(path.read_bytes().split(b"\n")[:-1])))

    with pytest.raises(CaptureError) as failed:
        list(read(folder))

    assert f"{path} line {line}: " in str(failed.value)
    assert what in str(failed.value)
    assert "take the folder from where it was captured again" in str(failed.value)


def test_last_lines_that_are_gone_are_missed_by_what_the_end_says(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 5)
    path = folder / "records-000001.jsonl"
    path.write_bytes(path.read_bytes().rpartition(b'{"n":5')[0])

    with pytest.raises(CaptureError, match="the last lines are missing: there are 4 pairs"):
        verify(folder)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_file_that_is_gone_is_named(tmp_path: Path, number: int) -> None:
    folder = written(tmp_path / "capture", 10, file_bytes=500)
    path = folder / f"records-{number:06}.jsonl"
    path.unlink()

    with pytest.raises(CaptureError, match=f"{path}: is missing"):
        verify(folder)


def test_a_file_that_is_torn_before_another_one_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", 10, file_bytes=500)
    path = folder / "records-000002.jsonl"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(CaptureError, match=f"{path} line [0-9]+: ends in its midst"):
        verify(folder)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (None, "has no capture.json"),
        ("{", "capture.json: "),
        ('{"version":2,"to":"","began_ms":1,"fingerprint":""}', "version 2, here 1 is read"),
        ('{"version":1,"to":"","began_ms":-1,"fingerprint":""}', "capture.json: "),
    ],
)
def test_a_folder_that_is_no_capture_is_refused(tmp_path: Path, said: str | None, what: str) -> None:
    folder = written(tmp_path / "capture", 1)
    (folder / "capture.json").unlink()
    if said is not None:
        (folder / "capture.json").write_text(said)

    with pytest.raises(CaptureError, match=what):
        verify(folder)
