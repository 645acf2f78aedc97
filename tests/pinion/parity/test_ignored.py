"""The ignore file."""

from pathlib import Path

import pytest

from engine.contract.errors import UsageError
from pinion.parity.answers import FieldDifference
from pinion.parity.ignored import load_ignored

ENTRY = '[[ignore]]\nfield = "retry"\nowner = "team"\nreason = "old words"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ignore.toml"
    path.write_text(text)
    return path


def test_a_field_is_ignored_of_every_pair_of_codes_or_of_one(tmp_path: Path) -> None:
    any_pair = load_ignored(written(tmp_path, ENTRY))
    one_pair = load_ignored(written(tmp_path, ENTRY + 'pair = "OK>FUNDS"\n'))

    assert any_pair.find("retry", "A>B") is not None
    assert one_pair.find("retry", "A>B") is None
    assert one_pair.find("retry", "OK>FUNDS") is not None
    assert any_pair.find("code", "A>B") is None


def test_an_ignored_difference_says_why_and_what_is_never_met_is_told(tmp_path: Path) -> None:
    ignored = load_ignored(written(tmp_path, ENTRY + ENTRY.replace("retry", "iso")))

    marked = ignored.marked([FieldDifference("retry", 1, 2), FieldDifference("code", 1, 2)], "OK>OK")

    assert marked[0].ignored == "team: old words"
    assert not isinstance(marked[1].ignored, str)
    assert [each.field for each in ignored.unmet()] == ["iso"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[ignore]]\nfield = "retry"\nowner = "team"\n', "reason"),
        ('[[ignore]]\nfield = "retry"\nreason = "why"\n', "owner"),
        ('[[ignore]]\nowner = "team"\nreason = "why"\n', "field"),
        (ENTRY + 'pair = "OK"\n', "pair"),
        (ENTRY + "until = 5\n", "until"),
        ("[[ignore", "ignore"),
    ],
)
def test_what_is_missing_or_wrong_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(UsageError) as told:
        load_ignored(path)

    assert str(path) in str(told.value)
    assert said in str(told.value)
