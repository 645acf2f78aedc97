"""A journal keeps its name, wherever its folder is; a folder has one by its place."""

from pathlib import Path

from gateways.fleet.identity import journal_id, owner_of


def test_a_journal_keeps_its_name_where_its_folder_is_moved_and_a_new_one_has_another(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    name, owner = journal_id(first / "id"), owner_of(first)
    assert journal_id(first / "id") == name

    moved = first.rename(tmp_path / "moved")

    assert journal_id(moved / "id") == name
    assert owner_of(moved) != owner
    assert journal_id(tmp_path / "id") != name
