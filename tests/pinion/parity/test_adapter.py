"""Bodies of another shape."""

import json
from pathlib import Path

import pytest

from engine.contract.errors import UsageError
from pinion.parity.adapter import Adapter
from pinion.parity.pairs import LeftOut, Pair
from tests.pinion.parity.pairs import pair

TEXT = """
def request(body):
    return {"amount": body["betrag"]}

def reply(body):
    return {"code": "OK" if body["ok"] else "FUNDS"}
"""


def adapter(tmp_path: Path, text: str = TEXT) -> Adapter:
    path = tmp_path / "shape.py"
    path.write_text(text)
    return Adapter(path)


def test_both_bodies_become_what_the_functions_make_of_them(tmp_path: Path) -> None:
    made = adapter(tmp_path)(pair(1, {"betrag": 5}, {"ok": False}))

    assert isinstance(made, Pair)
    assert json.loads(made.request) == {"amount": 5}
    assert json.loads(made.reply or b"") == {"code": "FUNDS"}
    assert made.is_adapted


def test_what_is_no_object_and_what_is_left_out_stays_as_it_is(tmp_path: Path) -> None:
    adapted = adapter(tmp_path)

    broken = adapted(pair(1, b"{", None))

    assert isinstance(broken, Pair)
    assert broken.request == b"{"
    assert adapted(LeftOut(2, "why")) == LeftOut(2, "why")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def request(body): return body\n", "has no function reply"),
        ("request = reply = 5\n", "has no function request"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_file_that_is_no_adapter_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        adapter(tmp_path, text)


def test_a_function_that_fails_is_told_with_the_record(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="request of record 7: KeyError: 'betrag'"):
        adapter(tmp_path)(pair(7, {"other": 1}, {"ok": True}))
    returns_text = "def request(body): return 'text'\nreply = request\n"
    with pytest.raises(UsageError, match="record 8: TypeError: returned str, give a dict"):
        adapter(tmp_path, returns_text)(pair(8, {"betrag": 1}, None))
