"""Sets of rules out of a state, and as the api tells them."""

from pathlib import Path

import pytest

from api.queries.rules import rules_document
from engine.rules.store import write_source
from engine.trading.view.rules_view import rules_of
from ringbuf.seqlock import TornReadError
from tests.engine.trading.engine_side import Engine
from tests.rule_files import rules_named, source_named, text_of
from tests.scenarios.script import PREAMBLE, command_of


def played(*lines: str) -> Engine:
    engine = Engine()
    for command in PREAMBLE:
        engine.submit(command)
    for line in lines:
        engine.submit(command_of(line))
    return engine


ABOUT_RULES = (
    "> rules act=register file=clips who=ann why=small_ones",
    "> rules act=register file=losses",
    "> rules act=activate file=losses",
    "> rules act=activate file=clips",
    "1> sell 6 @ 10.00 #1",
    "1> sell 7 @ 10.00 #1",
    "1> buy 1 @ 10.00 #2",
)


def test_a_view_has_every_set_which_governs_and_what_each_rule_refused() -> None:
    found = rules_of(played(*ABOUT_RULES).state)

    assert (found.governing, found.before, len(found.sets)) == (1, 2, 2)
    first, second = found.sets
    assert (first.ruleset, first.source.hex(), first.who, first.why) == (
        1, source_named("clips"), "ann", "small_ones"
    )  # fmt: skip
    assert (first.refused[:3], first.faults[:3]) == ((2, 0, 0), (0, 0, 1))
    assert sum(second.refused) + sum(second.faults) == 0


def test_a_state_that_is_being_rebuilt_is_not_read() -> None:
    with pytest.raises(TornReadError):
        rules_of(played().state, lambda: 1)


def test_the_api_names_rules_and_their_reasons_as_far_as_their_source_is_there(tmp_path: Path) -> None:
    write_source(tmp_path, {"clips.py": text_of("clips")}, rules_named("clips"))

    told = rules_document(rules_of(played(*ABOUT_RULES).state), tmp_path)

    assert (told["governing"], told["before"]) == (1, 2)
    first, second = told["sets"]
    assert (first["state"], second["state"], second["rules"]) == ("governing", "registered", [])
    assert first["rules"] == [
        {"rule": "max_clip", "reason": "MAX_CLIP", "refused": 2, "faults": 0},
        {"rule": "order_pace", "reason": "TOO_MANY_ORDERS", "refused": 0, "faults": 0},
        {"rule": "far_above_bid", "reason": "FAR_ABOVE_BID", "refused": 0, "faults": 1},
    ]
    nothing = rules_document(rules_of(played().state), tmp_path)
    assert (nothing["governing"], nothing["sets"]) == (None, [])


def test_sixteen_sets_are_kept_and_never_is_one_given_up_that_is_needed() -> None:
    engine = played("> rules act=register file=losses", "> rules act=activate file=losses")
    engine.submit(command_of("> rules act=register file=clips"))
    engine.submit(command_of("> rules act=activate file=clips"))
    rows = engine.state[0]["rule_sets"]

    for number in range(40):  # another hash makes another set of it, as if so many had come
        rows["hash"][rows["ruleset"] > 2, 0] += 1
        engine.submit(command_of(f"> rules act=register file={'all_words' if number % 2 else 'all_windows'}"))

    kept = sorted(each.ruleset for each in rules_of(engine.state).sets)
    assert kept == [1, 2, *range(29, 43)]
    assert engine.submit(command_of("> rules act=rollback"))[0]["set"] == 1
