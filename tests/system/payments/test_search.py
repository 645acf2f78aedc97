"""The search for secrets finds each in every form, wherever in a file it lies."""

import os
from pathlib import Path

import pytest

from tests.system.payments.search import PAGE_BYTES, PIECE_BYTES, Search, content_of, forms_of

PAN, ADDRESS = "4012888888881881", "203.0.113.77"


@pytest.mark.parametrize("secret", [PAN, "ann@example.com", ADDRESS, "2001:db8::77"])
def test_every_form_of_a_secret_is_found(tmp_path: Path, secret: str) -> None:
    for form in forms_of(secret):
        (tmp_path / "file").write_bytes(b"x" * 100 + form + b"y")

        assert Search([secret, "another"]).in_folder(tmp_path) != []
        assert Search(["another"]).in_folder(tmp_path) == []
    assert PAN.encode("utf-16-le") in forms_of(PAN)
    assert int(PAN).to_bytes(8, "little") in forms_of(PAN)


@pytest.mark.parametrize("at", [0, PAGE_BYTES - 5, 3 * PAGE_BYTES, PIECE_BYTES - 5, 2 * PIECE_BYTES])
def test_a_secret_is_found_across_pages_and_behind_holes(tmp_path: Path, at: int) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(3 * PIECE_BYTES)
        os.pwrite(file.fileno(), PAN.encode(), at)

    assert Search([PAN]).in_file(path) == [f"{path}: {PAN!r} lies there as {PAN.encode()!r}"]
    assert len(content_of(path)) <= 4 * PAGE_BYTES


def test_the_name_of_a_file_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / f"{PAN}.log").touch()

    assert Search([PAN]).in_folder(tmp_path) != []
