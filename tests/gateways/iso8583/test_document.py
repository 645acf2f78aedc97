"""docs/payments.md names every field that the door for ISO 8583 reads and writes, and every response code."""

import re
from pathlib import Path

from engine.payments.codes import TABLE
from gateways.iso8583.messages import APPROVAL, AT_FAULT, READ, REFERENCE, RESPONSE_CODE
from gateways.iso8583.replies import ECHOED, reply_kind
from gateways.iso8583.requests import NETWORK, PAYMENTS, REVERSALS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "payments.md"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|", re.MULTILINE)


def rows(begin: str, end: str) -> list[tuple[str, str]]:
    """Return the first two cells of each row between two texts of the section."""
    section = DOCUMENT.read_text().partition("## ISO 8583")[2].partition("\n## ")[0]
    part = section.partition(begin)[2].partition(end)[0]
    return [(first.strip(), second.strip()) for first, second in ROW.findall(part)]


def test_every_response_code_is_named_with_its_codes() -> None:
    wanted: dict[str, list[str]] = {}
    for row in TABLE:
        if row.iso:
            wanted.setdefault(row.iso, []).append(row.name)

    found = {iso: codes.split(", ") for iso, codes in rows("**Response codes**", "RATE has none")}

    assert found.pop("DE 39") == ["code"]
    assert found == wanted


def test_every_field_that_is_read_is_named() -> None:
    found = [name for name, _ in rows("**Fields in.**", "**Fields out.**") if name != "DE"]

    assert list(map(int, found)) == sorted(READ)


def test_every_field_that_is_written_is_named() -> None:
    found = [name for name, _ in rows("**Fields out.**", "**Response codes**") if name != "DE"]

    assert {int(each) for name in found for each in name.split(",")} == {
        *ECHOED, REFERENCE, APPROVAL, RESPONSE_CODE, AT_FAULT,
    }  # fmt: skip


def test_every_type_is_named_with_its_reply() -> None:
    found = dict(rows("| type | reply", "**Fields in.**"))
    kinds = {kind: found[name] for name in found for kind in re.findall(r"\d{4}", name)}

    assert kinds == {kind: reply_kind(kind) for kind in (*PAYMENTS, *REVERSALS, *NETWORK)}
