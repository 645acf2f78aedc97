"""What the disk does not take is counted and told; what stands there is whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinion.capture.records import Dropped, about, lines, read
from pinion.capture.verify import verify
from pinion.capture.writer import RecordWriter
from tests.pinion.capture.captured import ABOUT, pair
from tests.pinion.capture.disks import HarmedDisk


def test_a_full_disk_leaves_no_half_line_and_the_next_line_tells_what_is_missing(tmp_path: Path) -> None:
    disk = HarmedDisk()
    writer = RecordWriter(tmp_path, ABOUT, disk)
    writer.append([pair(1)])

    disk.room = 30
    took = [writer.append([pair(2), pair(3)]), writer.append([pair(4)])]
    while_full = (tmp_path / "records-000001.jsonl").read_bytes()
    disk.room = None
    took.append(writer.append([pair(5)]))
    writer.close(9)

    assert took == [False, False, True]
    assert while_full.count(b"\n") == 1
    assert while_full.endswith(b"\n")
    assert [each.dropped if isinstance(each, Dropped) else each.request for each in lines(tmp_path)] == [
        *("request 1", 3, "request 5"),
    ]
    assert (about(tmp_path).records, about(tmp_path).dropped) == (2, 3)


def test_what_could_not_be_cut_off_is_cut_off_before_the_next_line(tmp_path: Path) -> None:
    disk = HarmedDisk()
    writer = RecordWriter(tmp_path, ABOUT, disk)

    disk.room, disk.is_cutting = 30, False
    writer.append([pair(1)])
    disk.room = None
    writer.append([pair(2)])
    disk.is_cutting = True
    writer.append([pair(3)])
    writer.close(9)

    assert [each.request for each in read(tmp_path)] == ["request 3"]
    assert verify(tmp_path).dropped == 2


def test_a_disk_that_is_full_to_the_end_leaves_what_it_took(tmp_path: Path) -> None:
    disk = HarmedDisk()
    writer = RecordWriter(tmp_path, ABOUT, disk)
    writer.append([pair(1)])
    disk.room = 0
    writer.append([pair(2)])

    with pytest.raises(OSError, match="No space left"):
        writer.close(9)

    assert [each.request for each in read(tmp_path)] == ["request 1"]
    assert about(tmp_path).records is None
    assert not list(tmp_path.glob("*.draft"))


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.none() | st.integers(0, 900)), max_size=12
    )
)
def test_pairs_and_missing_ones_add_up_whatever_the_disk_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("capture")
    disk = HarmedDisk()
    writer = RecordWriter(folder, ABOUT, disk, file_bytes=600)
    offered = missing = 0
    for count, dropped, room in steps:
        disk.room = room
        writer.append([pair(offered + each) for each in range(count)], dropped)
        offered, missing = offered + count, missing + dropped
    disk.room = None
    writer.close(9)

    found = verify(folder)

    assert found.records + found.dropped == offered + missing
    assert (found.records, found.dropped) == (writer.records, writer.dropped)
    numbers = [int(str(each.request).split()[1]) for each in read(folder)]
    assert numbers == sorted(set(numbers))
