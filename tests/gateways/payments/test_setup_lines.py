"""Set-up lines: the commands that they become, and what a refusal says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.codes import ISO_CODES, Code
from engine.payments.command_words import (
    BODY,
    HAS_CARD_TYPES,
    HAS_CHANNELS,
    HAS_COUNTRIES,
    HAS_CURRENCIES,
    KEY,
    KEYS_MAX,
    LIMIT_ROW_WORDS,
    MERCHANT_ACTIVE,
    MERCHANT_CHANNELS,
    MERCHANT_COUNTRIES,
    MERCHANT_DISCLOSE,
    MERCHANT_HOLD_DAYS,
    MERCHANT_MCC,
    MERCHANT_STATUS,
    MERCHANT_WORDS,
    PART_BEGINS,
)
from engine.payments.countries import country_number
from engine.payments.records import (
    COMMAND_VERSION,
    LIST_REMOVE,
    MONEY_MAX,
    NOT_GIVEN,
    AccountStatus,
    ListKind,
    Op,
)
from engine.payments.texts import words_text
from engine.rules.params import param_key
from gateways.payments.hashing import hash_words
from gateways.payments.odd_lines import odd_lines
from gateways.payments.setup_lines import SetupFault, setup_lines
from gateways.payments.values import may_hold_pan
from tests.gateways.payments.bodies_of_payments import HASHER, PAN

MERCHANT = {
    "op": "merchant",
    "merchant": "m1",
    "active": True,
    "currencies": ["EUR", "JPY"],
    "channels": ["pos", "ecom"],
    "card_types": ["debit"],
    "issuer_countries": ["DE", "AA"],
    "limits": {"EUR": {"min": 100, "max": 5000, "daily": 100000}},
    "sca_above": {"EUR": 3000},
    "geo_above": {"USD": 50000},
    "hold_days": 9,
    "mcc": "0411",
    "disclose": {"59": "05"},
}
ACCOUNT = {
    "op": "account",
    "account": 1,
    "status": "frozen",
    "balances": {"EUR": 1000000, "BHD": 7},
    "limits": {"EUR": {"max": 700, "sum_24h": 100000}, "JPY": {"min": 3}},
    "count_24h": 20,
}
DEPOSIT = {"op": "deposit", "account": 1, "currency": "BHD", "amount": -5000, "id": "d1"}


def records_of(line: dict[str, Any]) -> Any:
    (only,) = setup_lines(json.dumps(line).encode(), HASHER)
    assert only.op == line["op"]
    assert (only.records["version"] == COMMAND_VERSION).all()
    assert (only.records["received_at"] == NOT_GIVEN).all()
    return only.records


def without(line: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in line.items() if each != name}


def bits(words: Any) -> set[int]:
    number = int.from_bytes(words.tobytes(), "little")
    return {place for place in range(number.bit_length()) if number >> place & 1}


def test_a_merchant_is_its_limits_its_currencies_and_all_the_rest() -> None:
    limits, permits, merchant = records_of(MERCHANT)

    assert [each["op"] for each in (limits, permits, merchant)] == [
        *(Op.MERCHANT_LIMITS, Op.MERCHANT_PERMITS, Op.MERCHANT),
    ]
    assert [each["options"] for each in (limits, permits, merchant)] == [PART_BEGINS, 0, 0]
    assert {words_text(each["words"][:MERCHANT_WORDS]) for each in (limits, permits, merchant)} == {"m1"}
    assert limits["payment"] == 2
    rows = limits["words"][MERCHANT_WORDS : MERCHANT_WORDS + 2 * LIMIT_ROW_WORDS].reshape(2, -1)
    assert rows.tolist() == [[978, 100, 5000, 100000, 3000, -1], [840, -1, -1, -1, -1, 50000]]
    assert bits(permits["words"][MERCHANT_WORDS:]) == {978, 392}
    words = merchant["words"]
    assert words[MERCHANT_STATUS] == (
        MERCHANT_ACTIVE | HAS_CURRENCIES | HAS_CHANNELS | HAS_CARD_TYPES | HAS_COUNTRIES
    )
    assert words[MERCHANT_CHANNELS] == (1 << 2 | 1 << 1) | (1 << 2) << 32
    assert (words[MERCHANT_HOLD_DAYS], words[MERCHANT_MCC]) == (9, 411)
    assert bits(words[MERCHANT_COUNTRIES:MERCHANT_DISCLOSE]) == {country_number("DE"), 0}
    shown = words[MERCHANT_DISCLOSE:].tobytes()
    assert {code for code, place in enumerate(shown) if place} == {Code["VELOCITY"], Code["FRAUD_SCORE"]}
    assert ISO_CODES[shown[Code["VELOCITY"]] - 1] == "05"


def test_params_of_user_rules_stand_before_the_rest() -> None:
    line = {**without(MERCHANT, "limits"), "sca_above": {}, "geo_above": {}}
    given = {"round_night": {"max": 1, "min": -5}, "odd": {"x": 10**12}}
    permits, params, merchant = records_of({**line, "params": given})

    assert [each["op"] for each in (permits, params, merchant)] == [
        *(Op.MERCHANT_PERMITS, Op.MERCHANT_PARAMS, Op.MERCHANT),
    ]
    assert [each["options"] for each in (permits, params, merchant)] == [PART_BEGINS, 0, 0]
    assert params["payment"] == 3
    words = params["words"][MERCHANT_WORDS : MERCHANT_WORDS + 6].tolist()
    assert words == [
        *(param_key("round_night", "max"), 1, param_key("round_night", "min"), -5),
        *(param_key("odd", "x"), 10**12),
    ]


@pytest.mark.parametrize(
    "given",
    [
        *([], {"Round": {"x": 1}}, {"odd": 1}, {"odd": {"X": 1}}, {"odd": {"x": 10**12 + 1}}),
        *({"odd": {"x": True}}, {"odd": {f"x{number}": 1 for number in range(9)}}),
    ],
)
def test_params_that_no_rule_can_have_are_refused(given: Any) -> None:
    with pytest.raises(SetupFault, match="params"):
        records_of({"op": "merchant", "merchant": "m", "params": given})


def test_a_merchant_of_which_nothing_is_said_has_the_defaults() -> None:
    (merchant,) = records_of({"op": "merchant", "merchant": "m"})

    words = merchant["words"]
    assert (merchant["op"], merchant["options"]) == (Op.MERCHANT, PART_BEGINS)
    assert (words[MERCHANT_STATUS], words[MERCHANT_CHANNELS]) == (MERCHANT_ACTIVE, 0)
    assert (words[MERCHANT_HOLD_DAYS], words[MERCHANT_MCC]) == (7, NOT_GIVEN)
    assert not words[MERCHANT_COUNTRIES:].any()


def test_a_list_that_is_there_and_empty_is_not_one_that_is_left_out() -> None:
    permits, merchant = records_of({"op": "merchant", "merchant": "m", "currencies": [], "channels": []})

    assert permits["op"] == Op.MERCHANT_PERMITS
    assert merchant["words"][MERCHANT_STATUS] == MERCHANT_ACTIVE | HAS_CURRENCIES | HAS_CHANNELS


def test_many_currencies_take_several_commands() -> None:
    letters = ["EUR", "USD", "GBP", "JPY", "CHF"]
    *parts, merchant = records_of({"op": "merchant", "merchant": "m", "sca_above": dict.fromkeys(letters, 1)})

    assert [each["payment"] for each in parts] == [4, 1]
    assert [each["options"] for each in (*parts, merchant)] == [PART_BEGINS, 0, 0]
    *parts, account = records_of(
        {"op": "account", "account": 1, "balances": dict.fromkeys([*letters, "BHD"], 1)}
    )
    assert [each["payment"] for each in parts] == [5, 1]
    assert [each["options"] for each in (*parts, account)] == [PART_BEGINS, 0, 0]


def test_an_account_is_its_balances_and_all_the_rest() -> None:
    balances, account = records_of(ACCOUNT)

    assert (balances["op"], balances["account"], balances["payment"]) == (Op.ACCOUNT_BALANCES, 1, 3)
    assert balances["words"][:15].reshape(3, 5).tolist() == [
        [978 | 2 << 16, 1000000, -1, 700, 100000],
        [48 | 3 << 16, 7, -1, -1, -1],
        [392, 0, 3, -1, -1],
    ]
    assert (account["op"], account["account"], account["kind"]) == (Op.ACCOUNT, 1, AccountStatus.FROZEN)
    assert (account["amount"], account["options"]) == (20, 0)


def test_an_account_of_which_nothing_is_said_is_open() -> None:
    (account,) = records_of({"op": "account", "account": 2**63 - 1})

    assert (account["kind"], account["amount"], account["options"]) == (
        AccountStatus.OPEN,
        NOT_GIVEN,
        PART_BEGINS,
    )


def test_a_deposit_is_in_its_place_in_the_command() -> None:
    (record,) = records_of(DEPOSIT)

    assert (record["op"], record["account"], record["amount"]) == (Op.DEPOSIT, 1, -5000)
    assert (record["currency"], record["exponent"]) == (48, 3)
    assert tuple(record["words"][KEY:BODY]) == hash_words(HASHER.deposit(1, "d1"))
    (other,) = records_of(DEPOSIT | {"amount": 5000})
    assert (other["words"][KEY:BODY] == record["words"][KEY:BODY]).all()
    assert (other["words"][BODY : BODY + 2] != record["words"][BODY : BODY + 2]).any()


@pytest.mark.parametrize(
    ("name", "entry", "key"),
    [
        *(
            (name, PAN, hash_words(HASHER.pan(PAN)))
            for name in ("lost", "stolen", "block_card", "allow_card")
        ),
        ("lost", "1" * 12, hash_words(HASHER.pan("1" * 12))),
        ("lost", "1" * 11, hash_words(HASHER.token("1" * 11))),
        ("block_card", "tok", hash_words(HASHER.token("tok"))),
        ("block_bin", "411111", (411111, 6)),
        ("block_bin", "00001111", (1111, 8)),
        ("block_account", 5, (5, 0)),
        ("block_device", PAN, hash_words(HASHER.device(PAN))),
        ("block_ip", "::ffff:1.2.3.4", hash_words(HASHER.ip("1.2.3.4"))),
        ("block_email", "A@b", hash_words(HASHER.email("a@b"))),
    ],
)
def test_an_entry_of_a_list_is_a_key(name: str, entry: Any, key: tuple[int, int]) -> None:
    (record,) = records_of({"op": "list", "list": name, "add": [entry]})

    assert (record["op"], record["kind"], record["options"]) == (Op.LIST, ListKind[name.upper()], 0)
    assert record["payment"] == 1
    assert tuple(record["words"][:2]) == key
    assert not record["words"][2:].any()


def test_a_list_is_cut_into_commands_and_adds_before_it_removes() -> None:
    many = list(range(1, 2 * KEYS_MAX + 2))
    records = records_of({"op": "list", "list": "block_account", "remove": [7], "add": many})

    assert records["payment"].tolist() == [KEYS_MAX, KEYS_MAX, 1, 1]
    assert records["options"].tolist() == [0, 0, 0, LIST_REMOVE]
    keys = np.concatenate([each["words"][: 2 * each["payment"] : 2] for each in records])
    assert keys.tolist() == [*many, 7]


def test_a_list_that_changes_nothing_is_one_command() -> None:
    nothing: list[dict[str, Any]] = [{}, {"add": []}]
    for line in nothing:
        (record,) = records_of({"op": "list", "list": "lost", **line})
        assert record["payment"] == 0


def test_lines_are_numbered_as_in_the_file() -> None:
    text = b'\n{"op":"merchant","merchant":"a"}\r\n  \n{"op":"account","account":1}'

    assert [(line.number, line.op) for line in setup_lines(text, HASHER)] == [(2, "merchant"), (4, "account")]


NO_DISCLOSURES: list[Any] = [[], {"59": "00"}, {"00": "05"}, {"5": "05"}, {"59": 5}]
FAULTS: list[tuple[Any, str]] = [
    ("[]", "line"),
    ("{", "line"),
    ('{"op":"merchant","merchant":"a","merchant":"b"}', "merchant"),
    ({}, "op"),
    ({"op": "x"}, "op"),
    ({"op": ["merchant"]}, "op"),
    *((line | {"zz": 1}, "zz") for line in (MERCHANT, ACCOUNT, DEPOSIT)),
    (DEPOSIT | {"received_at": 1}, "received_at"),
    *((without(DEPOSIT, name), name) for name in ("account", "amount", "id")),
    ({"op": "merchant"}, "merchant"),
    ({"op": "list"}, "list"),
    (MERCHANT | {"merchant": "m" * 25}, "merchant"),
    (MERCHANT | {"active": 1}, "active"),
    (MERCHANT | {"currencies": "EUR"}, "currencies"),
    (MERCHANT | {"currencies": None}, "currencies"),
    (MERCHANT | {"currencies": ["EUR", "XAU"]}, "currencies[1]"),
    (MERCHANT | {"currencies": [[]]}, "currencies[0]"),
    (MERCHANT | {"channels": ["web"]}, "channels[0]"),
    (MERCHANT | {"card_types": [1]}, "card_types[0]"),
    (MERCHANT | {"issuer_countries": ["de"]}, "issuer_countries[0]"),
    (MERCHANT | {"limits": []}, "limits"),
    (MERCHANT | {"limits": {"XXX": {}}}, "limits.XXX"),
    (MERCHANT | {"limits": {"EUR": {"least": 1}}}, "limits.EUR.least"),
    (MERCHANT | {"limits": {"EUR": {"min": -1}}}, "limits.EUR.min"),
    (MERCHANT | {"limits": {"EUR": {"daily": MONEY_MAX + 1}}}, "limits.EUR.daily"),
    (MERCHANT | {"sca_above": {"EUR": 1.0}}, "sca_above.EUR"),
    (MERCHANT | {"geo_above": {"EUR": True}}, "geo_above.EUR"),
    *((MERCHANT | {"hold_days": value}, "hold_days") for value in (0, 32, "7", None)),
    *((MERCHANT | {"mcc": value}, "mcc") for value in (5411, "541", "54111")),
    *((MERCHANT | {"disclose": value}, "disclose") for value in NO_DISCLOSURES),
    (ACCOUNT | {"account": 0}, "account"),
    (ACCOUNT | {"status": "shut"}, "status"),
    (ACCOUNT | {"balances": {"EUR": -1}}, "balances.EUR"),
    (ACCOUNT | {"balances": {"EURO": 1}}, "balances.EURO"),
    (MERCHANT | {"limits": {"EUR": 1}}, "limits.EUR"),
    (MERCHANT | {"limits": {"EUR": {"x" * 200: 1}}}, "limits"),
    (ACCOUNT | {"limits": {"EUR": {"daily": 1}}}, "limits.EUR.daily"),
    (ACCOUNT | {"count_24h": -1}, "count_24h"),
    ({"op": "list", "list": "x"}, "list"),
    ({"op": "list", "list": "lost", "add": {}}, "add"),
    ({"op": "list", "list": "lost", "add": ["a", ""]}, "add[1]"),
    ({"op": "list", "list": "lost", "remove": [1]}, "remove[0]"),
    ({"op": "list", "list": "block_bin", "add": ["1234567"]}, "add[0]"),
    ({"op": "list", "list": "block_account", "add": ["1"]}, "add[0]"),
    ({"op": "list", "list": "block_ip", "add": ["1.2.3"]}, "add[0]"),
    *((DEPOSIT | {"amount": value}, "amount") for value in (0, 10**12, -(10**12), 1.5, "1")),
    (DEPOSIT | {"currency": "XAU"}, "currency"),
    (DEPOSIT | {"id": ""}, "id"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "field"), FAULTS)
def test_a_fault_names_line_and_field_and_how_to_mend_it(line: Any, field: str) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    good = json.dumps(MERCHANT)

    with pytest.raises(SetupFault) as fault:
        setup_lines(f"{good}\n{text}\n{good}".encode(), HASHER)

    assert (fault.value.line, fault.value.field) == (2, field)
    assert str(fault.value).startswith(f"line 2: {field}: ")
    assert "give" in str(fault.value) or "it has" in str(fault.value)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        (ACCOUNT | {"limits": {"EUR": {"daily": 1}}}, "of an account min, max, sum_24h"),
        (MERCHANT | {"limits": {"EUR": {"min": "5"}}}, "'5': give an integer in minor units"),
        (MERCHANT | {"geo_above": {"EUR": -1}}, "-1: give an integer in minor units"),
        ({"op": "list", "list": "block_ip", "add": ["1.2.3"]}, "of block_ip addresses of IPv4 or IPv6"),
    ],
)
def test_a_fault_tells_what_is_allowed_there(line: Any, mend: str) -> None:
    with pytest.raises(SetupFault, match=mend):
        setup_lines(json.dumps(line).encode(), HASHER)


WRONG_CHECK_DIGIT = f"{PAN[:-1]}{(int(PAN[-1]) + 1) % 10}"


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        (MERCHANT | {"limits": {"EUR": {"min": 5, "max": 5}}}, []),
        (MERCHANT | {"limits": {"EUR": {"min": 5}, "USD": {"max": 4}}}, []),
        (MERCHANT | {"limits": {"EUR": {"min": 5, "max": 4}}}, ["limits.EUR.min"]),
        (ACCOUNT | {"limits": {"EUR": {"min": 1, "max": 0}}}, ["limits.EUR.min"]),
        ({"op": "list", "list": "lost", "add": [PAN, "tok"]}, []),
        ({"op": "list", "list": "lost", "add": ["tok", WRONG_CHECK_DIGIT, WRONG_CHECK_DIGIT]}, ["add[1]"]),
        ({"op": "list", "list": "lost", "remove": [WRONG_CHECK_DIGIT]}, []),
        ({"op": "list", "list": "block_device", "add": [WRONG_CHECK_DIGIT]}, []),
    ],
)
def test_what_hardly_is_meant_so_is_taken_with_a_warning(
    tmp_path: Path, line: dict[str, Any], odd: list[str]
) -> None:
    warnings = odd_lines(setup_lines(json.dumps(line).encode(), HASHER), tmp_path)

    assert [each.field for each in warnings] == odd
    assert not any(may_hold_pan(each.detail) for each in warnings)


@pytest.mark.parametrize(
    "line",
    [
        {"op": PAN},
        {"op": "merchant", "merchant": f"a {PAN}"},
        {"op": "merchant", "merchant": "m", PAN: 1},
        {"op": "merchant", "merchant": "m", "limits": {PAN: {}}},
        {"op": "merchant", "merchant": "m", "limits": {"EUR": {PAN: 1}}},
        {"op": "merchant", "merchant": "m", "channels": [PAN]},
        {"op": "account", "account": PAN},
        {"op": "account", "account": 1, "status": f"{PAN[:8]} {PAN[8:]}"},
        {"op": "list", "list": PAN},
        {"op": "list", "list": "lost", "add": [PAN, f"{PAN}\n"]},
        {"op": "list", "list": "block_account", "add": [PAN]},
        {"op": "list", "list": "block_bin", "add": [PAN]},
        {**DEPOSIT, "id": f"{PAN}/"},
        f'{{"op":"merchant","{PAN}":1,"{PAN}":1}}',
        f'{{"op":"list","add":["{PAN}"',
        f'"{PAN}"',
        f"{{'{PAN}'}}",
    ],
)
def test_no_fault_shows_a_pan(line: Any) -> None:
    text = line if isinstance(line, str) else json.dumps(line)

    with pytest.raises(SetupFault) as fault:
        setup_lines(text.encode(), HASHER)

    assert PAN[:8] not in str(fault.value)
    assert PAN[8:] not in str(fault.value)
    assert fault.value.__cause__ is None


def test_no_command_of_a_list_holds_a_pan() -> None:
    records = records_of({"op": "list", "list": "block_card", "add": [PAN], "remove": [PAN]})

    assert PAN.encode() not in records.tobytes()
    assert int(PAN).to_bytes(8, "little") not in records.tobytes()
