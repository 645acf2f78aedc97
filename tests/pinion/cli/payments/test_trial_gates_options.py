"""The gates that `pinion payments canary start` sends: those of a file, and before these the options."""

from pathlib import Path
from typing import Any

import pytest

from engine.contract.errors import ToldError, UsageError
from pinion.cli.parser import Parser
from pinion.cli.payments.trials.canary import add_arguments, body_of


def gates(*options: str) -> Any:
    parser = Parser()
    add_arguments(parser)
    return body_of(parser.parse_args(["start", "2", *options]))["gates"]


def test_without_options_the_door_has_its_defaults() -> None:
    assert gates() == {}


def test_each_gate_has_an_option() -> None:
    assert gates(
        *("--max-disagree-ppm", "5", "--min-seen", "7", "--max-p99-ms", "20"),
        *("--no-rates", "--no-amounts", "--no-faults"),
    ) == {
        **{"max_disagree_ppm": 5, "min_seen": 7, "max_p99_ms": 20},
        **{"compare_rates": False, "compare_amounts": False, "compare_faults": False},
    }


def test_a_file_has_them_all_and_an_option_goes_before(tmp_path: Path) -> None:
    file = tmp_path / "gates.toml"
    file.write_text("max_disagree_ppm = 2000\nmin_seen = 500\ncompare_amounts = false\n")

    assert gates("--gates", str(file), "--min-seen", "900") == {
        "max_disagree_ppm": 2000, "min_seen": 900, "compare_amounts": False,
    }  # fmt: skip


def test_a_file_that_is_no_toml_is_refused_with_a_mend(tmp_path: Path) -> None:
    file = tmp_path / "gates.toml"
    file.write_text("min_seen = \n")

    with pytest.raises(UsageError, match=r"gates\.toml: .*; give a TOML file such as `min_seen = 36000`"):
        gates("--gates", str(file))


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"\xff", "is no text in UTF-8")])
def test_a_file_that_is_not_there_or_no_text_has_failed_and_is_no_wrong_usage(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "gates.toml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ToldError, match=rf"gates\.toml: {why}") as told:
        gates("--gates", str(file))

    assert not isinstance(told.value, UsageError)
