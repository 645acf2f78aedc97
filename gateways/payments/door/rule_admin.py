"""The door's desk of rules: sets are registered, tried and made to govern; what stands is shown.

What is refused for where it stands is a problem document: nothing here is about a payment, so no code of
payments answers it.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec

from engine.payments.codes import Code
from engine.payments.records import Role
from engine.payments.rule_words import NO_SOURCE
from engine.payments.view.rules_view import RulesView
from engine.text import numbers
from gateways.payments.door.dispatch import BUSY, SYSTEM, TIMEOUT
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.reads import NotNowError
from gateways.payments.door.refusals import DoorRefusal, forbidden, unknown
from gateways.payments.door.routes import PaymentAsk, PaymentRoute
from gateways.payments.door.rule_workshop import UserRules
from gateways.payments.door.set_up import SetupSender
from gateways.payments.rule_documents import canary_document, ruleset_document, rulesets_document
from gateways.payments.rule_forms import (
    ActBody,
    ActivateBody,
    Commands,
    RuleBodyFault,
    SetBody,
    ShadowBody,
    StartBody,
    act_record,
    activate_record,
    read,
    ruleset_body,
    ruleset_record,
    set_record,
    shadow_record,
    source_kept,
    start_record,
)
from gateways.process.answers import Reply, refusal

NOT_FOUND, NOT_OPEN = int(Code["NOT_FOUND"]), int(Code["NOT_OPEN"])
_encode = msgspec.json.Encoder().encode


class RuleAdmin:
    """Answers what is asked about rules.

    rules : reads the sets and the trial once they are durable; raises NotNowError
    """

    def __init__(
        self,
        sender: SetupSender,
        rules: Callable[[], Awaitable[RulesView]],
        user_rules: UserRules,
    ) -> None:
        self._sender = sender
        self._rules = rules
        self._user_rules = user_rules

    async def answer(self, route: PaymentRoute, owner: KeyOwner, body: bytes) -> Reply:
        """Return the reply to a request; raise DoorRefusal, NotNowError."""
        if route.ask in (PaymentAsk.RULESETS, PaymentAsk.TRIAL):
            return await self._shown(route, owner)
        owner.require(Role.RISK)
        try:
            record = await self._record(route, owner, body)
        except RuleBodyFault as fault:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "format", fault.detail, fault.field)
        (told,) = await self._sender.sent(record, owner)
        if isinstance(told, int):
            raise _unanswered(told)
        if told.code in _REFUSED:
            raise _REFUSED[told.code]()
        rules = await self._rules()
        if route.ask == PaymentAsk.CANARY or route.ask == PaymentAsk.SHADOW:
            return _of(canary_document(rules.trial))
        found = rules.find(told.payment if route.ask == PaymentAsk.REGISTER else int(route.name))
        if found is None:  # sixteen others have come since
            raise NotNowError("the set has given way meanwhile")
        return _of(ruleset_document(found, rules, self._user_rules.names))

    async def _shown(self, route: PaymentRoute, owner: KeyOwner) -> Reply:
        if not owner.reads_all:
            raise forbidden(f"key {owner.name!r} lacks the role risk or viewer")
        rules = await self._rules()
        is_trial = route.ask == PaymentAsk.TRIAL
        if is_trial:
            return _of(canary_document(rules.trial))
        return _of(rulesets_document(rules, self._user_rules.names))

    async def _record(self, route: PaymentRoute, owner: KeyOwner, body: bytes) -> Commands:
        """Return the command that a body asks for."""
        who = owner.name
        if route.ask == PaymentAsk.REGISTER:
            asked = ruleset_body(body)
            rules = await self._rules()
            governing = rules.find(rules.governing)
            assert governing is not None, "the governing set is never given up"
            source = source_kept(governing) if asked.files is None else NO_SOURCE
            if asked.files:
                source = await self._user_rules.workshop.source_of(asked.files)
            return ruleset_record(asked, governing, who, source)
        if route.ask == PaymentAsk.ACTIVATE:
            return activate_record(read(body, ActivateBody), _number(route.name), who)
        if route.ask == PaymentAsk.SHADOW:
            return shadow_record(read(body, ShadowBody), _number(route.name), who)
        if route.name == "start":
            return start_record(read(body, StartBody), who)
        if route.name == "set":
            return set_record(read(body, SetBody), who)
        return act_record(route.name, read(body, ActBody), who)


def _of(document: dict[str, Any]) -> Reply:
    return Reply(HTTPStatus.OK, _encode(document))


def _number(name: str) -> int:
    number = numbers.whole(name)
    if number is None or not 0 < number < 2**31:
        raise _not_found()
    return number


def _not_found() -> DoorRefusal:
    return unknown("unknown_ruleset", "there is no set of this id; GET /v1/payments/rulesets lists them")


def _not_open() -> DoorRefusal:
    detail = (
        "the rules do not stand so that this can be done: GET /v1/payments/canary tells the trial, "
        "/v1/payments/rulesets the set that governs"
    )
    return DoorRefusal(HTTPStatus.CONFLICT, "not_open", detail)


def _unanswered(code: int) -> DoorRefusal:
    if code == TIMEOUT:
        detail = "no answer came in time, and it may take effect; GET /v1/payments/canary tells"
        return DoorRefusal(HTTPStatus.GATEWAY_TIMEOUT, "outcome_unknown", detail)
    assert code in (BUSY, SYSTEM)
    return DoorRefusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "nothing was done; ask again later")


_REFUSED: dict[int, Callable[[], DoorRefusal]] = {NOT_FOUND: _not_found, NOT_OPEN: _not_open}
