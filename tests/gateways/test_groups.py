"""Lines of groups of accounts: records, and what is refused before the engine sees it."""

from typing import Any

import numpy as np
import pytest

from engine.trading.fields import MEMBER_FIELDS, MEMBERS_MAX, Membership
from engine.trading.instruments import Catalogue, RefusedAtDoor
from engine.trading.records import COMMAND, CommandFlag, KillScope, Op
from gateways.json_lines import CommandEncoder, MalformedCommand


def encoded(fields: dict[str, Any]) -> Any:
    commands = np.zeros(1, COMMAND)
    CommandEncoder(Catalogue([], [])).encode(fields, commands[0])
    return commands[0]


def test_a_record_holds_eleven_accounts() -> None:
    accounts = list(range(101, 101 + MEMBERS_MAX))

    record = encoded({"op": "group", "group": 7, "accounts": accounts})

    named = [int(record[name]) for name in MEMBER_FIELDS] + record["text"].tolist()
    assert (record["op"], record["account"], record["side"]) == (Op.GROUP, 7, Membership.WHOLE)
    assert named == accounts
    assert MEMBERS_MAX == 11


@pytest.mark.parametrize(("word", "membership"), [("add", Membership.ADDED), ("remove", Membership.REMOVED)])
def test_further_accounts_are_added_and_others_removed(word: str, membership: Membership) -> None:
    record = encoded({"op": "group", "group": 7, "accounts": [1], word: True})

    assert record["side"] == membership


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"accounts": list(range(1, 13))},
            'at most 11 in one line; give the others in further lines with "add"',
        ),
        ({"accounts": [1, 2, 1]}, "name each account once"),
        ({"accounts": [0]}, "must be 1 or more"),
        ({"group": 0}, "must be 1 or more"),
    ],
)
def test_what_no_record_carries_is_refused_with_its_mend(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedAtDoor, match=told):
        encoded({"op": "group", "group": 7, "accounts": [1]} | fields)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"op": "group", "group": 7, "accounts": 1}, "give the numbers of the accounts"),
        ({"op": "group", "group": 7, "accounts": [1], "add": True, "remove": True}, "not both"),
        ({"op": "group", "group": 7, "account": 1}, "account"),
        ({"op": "group", "accounts": [1]}, "group"),
        ({"op": "limits", "group": 7, "account": 1, "max_position": 1}, "not both"),
        ({"op": "limits", "max_drawdown": "5"}, "name the account or group"),
        ({"op": "kill", "group": 7, "account": 1}, "exactly one of"),
        ({"op": "reset_latch", "venue": True, "limit": "max_drawdown"}, "`account` or `group`"),
    ],
)
def test_what_does_not_go_together_is_malformed(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(MalformedCommand, match=told):
        encoded(fields)


def test_limits_and_latches_name_a_group() -> None:
    limits = encoded({"op": "limits", "group": 7, "max_drawdown": "5"})
    kill = encoded({"op": "kill", "group": 7})
    reset = encoded({"op": "reset_latch", "group": 7, "limit": "max_drawdown", "rebase": True})

    assert (limits["account"], limits["flags"]) == (7, CommandFlag.OF_GROUP)
    assert (kill["account"], kill["value"]) == (7, KillScope.GROUP)
    assert (reset["account"], reset["value"], reset["flags"]) == (7, KillScope.GROUP, CommandFlag.REBASE)
