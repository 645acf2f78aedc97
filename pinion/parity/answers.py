"""Answers of two services to one request, held against each other field by field.

`seq`, `ruleset` and `cohort` are each service's own, `approval` follows from `seq`: they are not compared.
A payment's id is compared as what it stands for. Of what is no reply (a problem, of an address at which
there is nothing) the status is compared; of set-up the code of each line.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from gateways.payments.door.routes import PaymentAsk
from pinion.parity.pairs import Pair

NOT_COMPARED = frozenset(("seq", "ruleset", "cohort", "approval"))
STATUS, BODY, PAYMENT, CODE = "status", "body", "payment", "code"
NO_CODE = "-"
_encode = msgspec.json.Encoder(order="sorted").encode
Document = dict[str, Any]
Translated = Callable[[str], str]
"""Returns the id that a payment has here by the id that it had there."""


class ServiceAnswer(NamedTuple):
    """A status and what the body says, None where it is no JSON object."""

    status: int
    document: Document | None
    is_partial: bool = False
    """Whether it says nothing of a field that is not there, as one that was made of another shape."""

    @property
    def code(self) -> str:
        """The code, `-` where there is none."""
        code = (self.document or {}).get(CODE)
        return code if isinstance(code, str) else NO_CODE

    @property
    def rule(self) -> str:
        """The rule that decided, `-` where none did."""
        rule = (self.document or {}).get("rule")
        return rule if isinstance(rule, str) else NO_CODE


class FieldDifference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field that two answers have otherwise; what is absent there is left out."""

    field: str
    old: Any = msgspec.UNSET
    new: Any = msgspec.UNSET
    ignored: str | msgspec.UnsetType = msgspec.UNSET
    """Why it is put up with."""


def answer_of(status: int, body: bytes, ask: PaymentAsk) -> ServiceAnswer:
    """Return what a service answered to a request of this kind."""
    if ask == PaymentAsk.SET_UP:
        return ServiceAnswer(status, lines_document(body))
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # it is compared as no object
        document = None
    return ServiceAnswer(status, document if isinstance(document, dict) else None)


def captured_answer(pair: Pair) -> ServiceAnswer | None:
    """Return what the old service answered, None where no answer came."""
    if pair.status is None or pair.reply is None:
        return None
    return answer_of(pair.status, pair.reply, pair.route.ask)._replace(is_partial=pair.is_adapted)


def lines_document(body: bytes) -> Document:
    """Return what an answer to set-up says of each line, whether it is one object or one a line."""
    try:
        found: Any = [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # its status is compared
        return {}
    if len(found) == 1 and isinstance(found[0], dict) and "results" in found[0]:
        found = found[0]["results"]
    if not isinstance(found, list) or not all(isinstance(each, dict) and CODE in each for each in found):
        return {}
    return {"lines": [[each[CODE], bool(each.get("replayed"))] for each in found]}


def differences(old: ServiceAnswer, new: ServiceAnswer, translated: Translated) -> list[FieldDifference]:
    """Return the fields in which the answers differ."""
    found = []
    if old.status != new.status:
        found.append(FieldDifference(STATUS, old.status, new.status))
    if old.document is None or new.document is None:
        if old.document is not new.document:
            found.append(FieldDifference(BODY, _shown(old.document), _shown(new.document)))
        return found
    if _is_problem(old) and _is_problem(new):
        return found
    for name in old.document if old.is_partial else {**old.document, **new.document}:
        if name in NOT_COMPARED:
            continue
        before, now = (each.document.get(name, msgspec.UNSET) for each in (old, new) if each.document)
        wanted = translated(before) if name == PAYMENT and isinstance(before, str) else before
        if not _is_same(wanted, now):
            found.append(FieldDifference(name, before, now))
    return found


def _is_problem(answer: ServiceAnswer) -> bool:
    return answer.status >= 400 and answer.code == NO_CODE


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether JSON has two values alike: 1 is neither true nor 1.0."""
    if one is msgspec.UNSET or other is msgspec.UNSET:
        return one is other
    return one == other and _encode(one) == _encode(other)


def _shown(document: Document | None) -> str:
    return "no JSON object" if document is None else "a JSON object"
