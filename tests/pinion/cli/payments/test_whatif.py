"""`pinion payments whatif`: what it says is what a shadow would have told, and a journal is left as it is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.codes import BY_NUMBER
from engine.payments.name import PAYMENTS
from engine.payments.records import COMMAND, EventKind, Op
from engine.trials.records import Act
from pinion.cli.journal.data import remember
from pinion.cli.main import main
from tests.engine.payments.building import SMALL, Engine, command, ruleset, trial
from tests.engine.payments.random_flow import Flow, first_commands
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal
from tests.pinion.cli.journal.subjects import PAYMENTS as SUBJECT

COUNT = 400
OTHER = {"card_1m": 1, "score_review": 90}
FIRST = first_commands()


def flow() -> list[Any]:
    made = Flow(5)
    made.known = list(range(1, COUNT))
    return [made.next() for _ in range(COUNT)]


def journal(folder: Path, commands: list[Any]) -> Path:
    remember(folder, PAYMENTS, SUBJECT.small, BOTH)
    small_journal.append(folder, [np.array([each], COMMAND) for each in commands])
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return journal(tmp_path_factory.mktemp("data"), [*FIRST, *flow()])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text("[payments.rules]\n" + "".join(f"{name} = {value}\n" for name, value in OTHER.items()))
    return path


def in_shadow(begin: int = 0) -> Any:
    """Return the events of the same flow, of which an engine lets the other set judge from a place on."""
    engine = Engine(SMALL, *FIRST)
    events = []
    for place, asked_for in enumerate(flow()):
        if place == begin:
            seq = engine.replica.seq
            engine.tell(ruleset(**{**LIMITS_OF_FIRST, **OTHER}), trial(Act.SHADOW, 2))
            shift = engine.replica.seq - seq
        made = engine.tell(asked_for)
        made["seq"] -= shift if place >= begin else 0
        events.append(made)
    return np.concatenate(events)


LIMITS_OF_FIRST: dict[str, Any] = {
    **{"bin_declines_1h": 30, "card_1m": 5, "device_cards_24h": 20, "ip_cards_1h": 20, "scheme_retry": 6}
}


def asked(capsys: pytest.CaptureFixture[str], *arguments: Any) -> Any:
    assert main(["payments", "whatif", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("begin", [0, 150])
def test_it_says_what_a_shadow_would_have_told(
    data_dir: Path, rules: Path, begin: int, capsys: pytest.CaptureFixture[str]
) -> None:
    events = in_shadow(begin)
    other = events[events["kind"] == EventKind.DISAGREED]
    decided = events[(events["kind"] == EventKind.DECIDED) & (events["replayed"] == 0)]
    was = {int(each["seq"]): int(each["code"]) for each in decided}
    pairs: dict[str, int] = {}
    for each in other:
        pair = f"{BY_NUMBER[was[int(each['seq'])]].name}>{BY_NUMBER[int(each['code'])].name}"
        pairs[pair] = pairs.get(pair, 0) + 1

    document = asked(capsys, data_dir, "--rules", rules, "--from", len(FIRST) + 1 + begin)

    assert document["pairs"] == pairs
    assert document["changed"] == len(other) > 10
    assert document["decided"] > document["changed"]
    assert set(document["examples"]) == set(pairs)
    assert sum(document["merchants"].values()) == len(other)


def test_a_part_of_the_journal_is_judged_alone(
    data_dir: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = asked(capsys, data_dir, "--rules", rules)
    first = asked(capsys, data_dir, "--rules", rules, "--to", len(FIRST) + 200)
    second = asked(capsys, data_dir, "--rules", rules, "--from", len(FIRST) + 201)

    assert first["changed"] + second["changed"] == whole["changed"]
    assert first["decided"] + second["decided"] == whole["decided"]


def test_text_names_pairs_merchants_and_money(
    data_dir: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((path, path.stat().st_size) for path in data_dir.rglob("*") if path.is_file())

    assert main(["payments", "whatif", str(data_dir), "--rules", str(rules)]) == 0

    said = capsys.readouterr().out
    assert "OK>REVIEW" in said
    assert "would be score_review" in said
    assert "EUR of these, would be" in said
    assert sorted((path, path.stat().st_size) for path in data_dir.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[payments.rules]\ncard_2m = 1\n", "'card_2m': no such parameter; there are card_1m"),
        ("[payments.rules]\ncard_1m = -1\n", "parameters.card_1m"),
        ("[payments.rules]\ncard_1m = 5\n", "are the rules that govern there"),
        ("[payments]\nport = 1\n", "has no [payments.rules]"),
        ("[payments.rules\n", "is not valid TOML"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(
    data_dir: Path, tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)

    assert main(["payments", "whatif", str(data_dir), "--rules", str(path)]) == 2

    assert said in capsys.readouterr().err


def test_it_goes_on_beside_the_set_that_governs_behind_a_change(
    tmp_path: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = 150
    own = [ruleset(**LIMITS_OF_FIRST | {"scheme_retry": 4}), command(Op.ACTIVATE, payment=2)]
    data_dir = journal(tmp_path / "data", [*FIRST, *flow()[:cut], *own, *flow()[cut:]])
    before = asked(capsys, data_dir, "--rules", rules, "--to", len(FIRST) + cut)
    behind = asked(capsys, data_dir, "--rules", rules, "--from", len(FIRST) + cut + len(own) + 1)

    whole = asked(capsys, data_dir, "--rules", rules)

    assert whole["changed"] == before["changed"] + behind["changed"]
    assert whole["decided"] == before["decided"] + behind["decided"]
    assert before["changed"] > 5 < behind["changed"]
    assert whole["left_out"] == 0


def test_payments_during_a_trial_of_the_journals_own_are_left_out_and_counted(
    tmp_path: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = [ruleset(**LIMITS_OF_FIRST | {"scheme_retry": 4}), trial(Act.SHADOW, 2)]
    ended = [trial(Act.ROLL_BACK, 2)]
    parts = flow()[:150], flow()[150:250], flow()[250:]
    data_dir = journal(tmp_path / "data", [*FIRST, *parts[0], *begun, *parts[1], *ended, *parts[2]])
    first, behind = len(FIRST) + 150, len(FIRST) + 250 + len(begun) + len(ended) + 1
    one = asked(capsys, data_dir, "--rules", rules, "--to", first)
    two = asked(capsys, data_dir, "--rules", rules, "--from", behind)
    within = asked(capsys, data_dir, "--rules", rules, "--from", first + 10, "--to", behind - 10)

    whole = asked(capsys, data_dir, "--rules", rules)

    assert whole["changed"] == one["changed"] + two["changed"]
    assert whole["decided"] == one["decided"] + two["decided"]
    assert whole["left_out"] > within["left_out"] > 30
    assert (within["decided"], within["changed"]) == (0, 0)


def test_where_the_other_set_comes_to_govern_nothing_changes_from_there_on(
    tmp_path: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [ruleset(**LIMITS_OF_FIRST | OTHER), command(Op.ACTIVATE, payment=2)]
    data_dir = journal(tmp_path / "data", [*FIRST, *flow()[:200], *own, *flow()[200:]])
    before = asked(capsys, data_dir, "--rules", rules, "--to", len(FIRST) + 200)

    whole = asked(capsys, data_dir, "--rules", rules)

    assert whole["changed"] == before["changed"] > 5
    assert whole["decided"] > before["decided"]


def test_a_beginning_behind_the_end_is_refused(
    data_dir: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["payments", "whatif", str(data_dir), "--rules", str(rules), "--from", "9999"]) == 2
    assert "--from 9999: the journal ends at" in capsys.readouterr().err


def test_a_beginning_behind_the_given_end_is_refused_and_rules_that_are_not_there_have_failed(
    data_dir: Path, tmp_path: Path, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = ["--from", "9", "--to", "3"]
    assert main(["payments", "whatif", str(data_dir), "--rules", str(rules), *turned]) == 2
    assert "--from 9: is behind --to 3" in capsys.readouterr().err
    assert main(["payments", "whatif", str(data_dir), "--rules", str(tmp_path / "none.toml")]) == 1
    assert "none.toml: No such file or directory" in capsys.readouterr().err
