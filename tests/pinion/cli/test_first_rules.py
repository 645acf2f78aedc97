"""Rules that the configuration of a trading instance names."""

from pathlib import Path
from typing import NoReturn

import pytest

from engine.contract.records import ROLES_ALL
from engine.settings.config import ConfigError
from engine.trading.application import open_folder
from engine.trading.offline.simulate import run_all
from engine.trading.records import COMMAND_VERSION, EventKind
from engine.trading.settings import RuleSettings, TradingSettings
from engine.trading.view.rules_view import rules_of
from pinion.cli.trading.first_rules import first_rules
from tests.engine.trading.engine_side import Engine
from tests.rule_files import FOLDER


def settings(*files: str) -> TradingSettings:
    return TradingSettings(rules=RuleSettings(files=files))


def end(reason: str) -> NoReturn:
    raise AssertionError(reason)


def test_they_are_registered_and_activated_once_and_other_ones_are_another_set(tmp_path: Path) -> None:
    engine = Engine()
    open_folder(tmp_path, end)

    for number, name in enumerate(("clips", "losses"), 1):
        first = first_rules(settings(str(FOLDER / f"{name}.py")), tmp_path, None)
        (definition,) = first.missing(engine.state)
        definition.commands["version"], definition.commands["roles"] = COMMAND_VERSION, ROLES_ALL
        events = run_all(engine.state, definition.commands)

        assert definition.setting == "rules.files"
        assert events["kind"].tolist() == [EventKind.RULES, EventKind.RULES]
        found = rules_of(engine.state)
        assert (found.governing, found.sets[-1].who) == (number, "the configuration")
        assert not first.missing(engine.state)


def test_without_files_nothing_is_sent(tmp_path: Path) -> None:
    assert not first_rules(settings(), tmp_path, None).missing(Engine().state)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("x = 1\n", "a file of rules holds a docstring, then"),
        (b"\xff", "is no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_rules_stops_the_start_by_its_setting(
    text: str | bytes | None, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.py"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(ConfigError, match=r"rules\.files: ") as raised:
        first_rules(settings(str(path)), tmp_path, None)

    assert told in str(raised.value)
