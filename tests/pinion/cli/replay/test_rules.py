"""Rules in command files, in what-if questions and on the command line, through the real kernel."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.trading.rules.words import symbol
from pinion.cli.main import main
from tests.pinion.cli.replay.test_replay import SETUP as LINES
from tests.pinion.cli.replay.test_replay import new

SETUP: list[Any] = [*LINES]
CLIPS = """\
from pinion import rule


@rule("max_clip", reason="MAX_CLIP", params={"max": 5})
def max_clip(order, ctx, params):
    return order.qty > params.max


@rule("no_bid", reason="NO_BID")
def no_bid(order, ctx, params):
    return order.px // ctx.bid > 100
"""


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    path = tmp_path / "clips.py"
    path.write_text(CLIPS)
    return path


def replayed(folder: Path, lines: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    source, events = folder / "orders.jsonl", folder / "events.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code = main(["replay", str(source), "--events", str(events)])
    return code, [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []


def test_a_file_of_commands_names_files_of_rules_beside_it(clips: Path) -> None:
    register = {"op": "rules", "act": "register", "file": clips.name}
    lines = [*SETUP, new(1, 1, "buy", "10.00", 6), register]

    code, events = replayed(clips.parent, lines)
    source = events[-1]["source"]
    activate = {"op": "rules", "act": "activate", "source": source}
    code, events = replayed(
        clips.parent, [*lines, activate, new(1, 2, "buy", "10.00", 6), new(1, 3, "buy", "10.00", 5)]
    )

    assert code == 0
    assert [each["event"] for each in events] == ["accepted", "rules", "rules", "rejected", "accepted"]
    refused = {name: events[3][name] for name in ("reason", "rule", "rule_reason", "rule_fault")}
    assert refused == {
        "reason": "rule", "rule": "max_clip", "rule_reason": "MAX_CLIP", "rule_fault": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"file": "none.py"}, "No such file"),
        ({"file": "bad.py"}, "bad.py:6: rule max_clip: a rule cannot have `/`"),
        ({"source": "ab" * 16}, "names a `file` of rules before it"),
        ({}, "give a file of rules"),
    ],
)
def test_a_set_that_is_none_ends_the_replay_by_line_and_field(
    clips: Path, line: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (clips.parent / "bad.py").write_text(CLIPS.replace("order.qty >", "order.qty / 2 >"))

    code, _ = replayed(clips.parent, [*SETUP, {"op": "rules", "act": "register", **line}])

    assert code == 1
    assert "line 4" in (errors := capsys.readouterr().err)
    assert told in errors


def test_check_tells_what_rules_do_and_cost(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["rules", "check", str(clips)])

    rows = capsys.readouterr().out.splitlines()
    assert code == 0
    assert rows[0].split() == ["rule", "reason", "refused", "of", "10,000", "faults", "ns"]
    assert [row.split()[:2] for row in rows[1:3]] == [["max_clip", "MAX_CLIP"], ["no_bid", "NO_BID"]]
    assert int(rows[2].split()[-2].replace(",", "")) > 100  # the bid may be 0
    assert rows[3].startswith("compiled or loaded in ")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("while order.qty: pass", "a rule cannot have while, which may not end"),
        ("return [order.qty]", "a rule cannot have a list"),
        ("return print(order.qty)", "calls print"),
        ("return LIMITS", "LIMITS is no local of the rule and no constant of pinion"),
        ("return order.qty > 1.5", "1.5: a rule has whole numbers only"),
        ("global x", "a rule cannot have global"),
        ("return order.qty ** 2 > 5", "can leave 64 bits"),
        ("for x in range(5): pass", "`for` must read `for _ in range(N)`"),
        ("for _ in range(order.qty): pass", "give range one constant from 1 to 64"),
        ("raise ValueError", "a rule cannot have raise"),
        ("return lambda: 1", "a rule cannot have a lambda"),
        ("return order.qty.real", "only order, ctx and params have attributes"),
        ("order.qty = 1", "sets order.qty; a rule sets its own locals only"),
        ("return symbol('A-LONG-SYMBOL')", "tells symbols of one to eight characters apart"),
    ],
)
def test_each_forbidden_construct_is_refused_by_name_line_and_mend(
    clips: Path, line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CLIPS.replace("import rule", "import rule, symbol").replace("return order.qty > params.max", line)
    clips.write_text(text)

    code = main(["rules", "check", str(clips)])

    assert code == 1
    assert capsys.readouterr().err.startswith(f"{clips.name}:6: rule max_clip: ")
    assert main(["rules", "check", str(clips)]) == 1
    assert told in capsys.readouterr().err


def test_a_symbol_is_its_first_eight_bytes() -> None:
    assert symbol("A") == 65
    assert symbol("BTC-USD") == int.from_bytes(b"BTC-USD", "little")
    with pytest.raises(ValueError, match="eight characters"):
        symbol("BTC-USDT-")
