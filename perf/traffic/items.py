"""One item of traffic: a request, or a line of set-up, as plain values."""

import json
from collections.abc import Generator
from typing import Any, NamedTuple

PAY, CAPTURE, VOID, REFUND, REVIEW = "pay", "capture", "void", "refund", "review"
REVERSE, SET_UP = "reverse", "setup"
OPERATIONS = (CAPTURE, VOID, REFUND, REVIEW)

Body = dict[str, Any]


class Item(NamedTuple):
    """A request or a line of set-up.

    body : its fields; a text is sent as it stands, for it may be no JSON
    of : of an operation, the number of the item, from 0, whose payment is meant
    """

    kind: str
    body: Body | str
    of: int = -1


Story = Generator[tuple[int, Item], int, None]
"""Yields items, each with the moment at which it is sent, ms; it is sent the number that the item got."""


def text_of(body: Body | str) -> str:
    """Return the bytes of a body as text."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def set_up(op: str, **fields: Any) -> Item:
    """Return a line of set-up."""
    return Item(SET_UP, {"op": op, **fields})


def changed(line: Item, **fields: Any) -> Item:
    """Return a line with other fields; one that is None is left out."""
    assert isinstance(line.body, dict)
    body = line.body | fields
    return Item(line.kind, {name: value for name, value in body.items() if value is not None})
