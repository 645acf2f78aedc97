"""Schemas of payments: what is asked for, what every reply has, and what its codes mean."""

from typing import Any

import msgspec

from api.process.openapi import Schema
from engine.payments.codes import DECLINED, TABLE
from engine.payments.records import (
    AMOUNT_MAX,
    FIELD_NAMES,
    CardType,
    Channel,
    CheckResult,
    Decision,
    PayKind,
    State,
)
from gateways.payments.replies import MovedReply, PaymentReply

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean", "default": False}
COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
REQUEST_ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"}
MERCHANT: Schema = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,24}$"}
AMOUNT: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": AMOUNT_MAX,
    "description": "in minor units of the currency",
}
RECEIVED_AT: Schema = {
    "type": "integer",
    "minimum": 0,
    "description": 'ms since 1970; only where payments.clock is "request"',
}


def schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    return {
        "Card": _card(),
        "Payment": _payment(),
        "Capture": _operation(amount=AMOUNT, final=FLAG),
        "Void": _operation(amount=AMOUNT),
        "Refund": _operation(amount=AMOUNT),
        "Review": _closed(("outcome",), outcome={"enum": ["approve", "decline"]}, received_at=RECEIVED_AT),
        "Reversal": _operation(("request_id", "merchant"), merchant=MERCHANT),
        "Code": _code(),
        **_replies(),
        "Account": _account(),
    }


def code_table() -> str:
    """Return what every code means, as a table in Markdown."""
    rows = [
        f"| {row.name} | {row.iso or 'null'} | {row.http} | {row.retry.name} |"
        for row in TABLE
        if row.name != "UNSUPPORTED"
    ]
    return "\n".join(("| code | iso (DE 39) | HTTP | retry |", "|---|---|---|---|", *rows))


def _closed(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _words(enum: Any, *left_out: Any) -> Schema:
    return {"enum": [each.name.lower() for each in enum if each not in left_out]}


def _card() -> Schema:
    return _closed(
        ("expiry",),
        pan={"type": "string", "pattern": "^[0-9]{12,19}$", "description": "or a token, never both"},
        token={"type": "string", "minLength": 1, "maxLength": 64},
        bin={"type": "string", "pattern": "^[0-9]{6,8}$", "description": "with a token only"},
        last4={"type": "string", "pattern": "^[0-9]{4}$", "description": "with a token only"},
        expiry={"type": "string", "pattern": "^[0-9]{2}(0[1-9]|1[0-2])$", "description": "YYMM"},
        type=_words(CardType),
        issuer_country=COUNTRY,
    )


def _payment() -> Schema:
    return _closed(
        ("request_id", "merchant", "channel", "amount", "currency", "account", "card"),
        request_id=REQUEST_ID,
        merchant=MERCHANT,
        op=_words(PayKind) | {"default": "authorise"},
        channel=_words(Channel),
        amount=AMOUNT,
        currency={"type": "string", "description": "letters of ISO 4217"},
        account={"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
        card={"$ref": "#/components/schemas/Card"},
        terminal={"type": "string", "minLength": 1, "maxLength": 16},
        device={"type": "string", "minLength": 1, "maxLength": 128},
        ip={"type": "string", "description": "v4, or v6, which counts by its /64"},
        email={"type": "string", "minLength": 3, "maxLength": 254},
        ip_country=COUNTRY,
        sca=FLAG,
        cvv_result=_words(CheckResult, CheckResult.PARTIAL),
        avs_result=_words(CheckResult),
        score={"type": "integer", "minimum": 0, "maximum": 1000},
        allow_partial=FLAG,
        explain=FLAG,
        received_at=RECEIVED_AT,
    )


def _operation(required: tuple[str, ...] = ("request_id",), **properties: Schema) -> Schema:
    return _closed(required, request_id=REQUEST_ID, **properties, received_at=RECEIVED_AT)


def _code() -> Schema:
    names = [row.name for row in TABLE if row.name != "UNSUPPORTED"]
    return {"enum": [*names, DECLINED], "description": f"{DECLINED} stands for what a merchant hides"}


def _replies() -> dict[str, Schema]:
    """Return the replies as their definitions say, with the words that their fields may have."""
    _, found = msgspec.json.schema_components(
        (PaymentReply, MovedReply), ref_template="#/components/schemas/{name}"
    )
    words: dict[str, list[str | None]] = {
        "decision": [each.name for each in Decision],
        "state": [each.name.lower() for each in State],
        "retry": ["NONE", "LATER", "FIX", "NEVER"],
    }
    for schema in found.values():
        properties = schema["properties"]
        for name, known in words.items():
            properties[name] = {"enum": known if name == "retry" else [*known, None]}
        properties["code"] = {"$ref": "#/components/schemas/Code"}
        properties["field"]["description"] = f"of a decision: {', '.join(FIELD_NAMES.values())}"
        schema["required"] = list(properties)
        for each in properties.values():
            each.pop("default", None)
    return found


def _account() -> Schema:
    amounts = {name: {"type": "integer"} for name in ("total", "held", "available")}
    return {
        "type": "object",
        "properties": {
            "account": {"type": "integer"},
            "status": {"enum": ["open", "frozen", "closed"]},
            "balances": {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": amounts},
            },
        },
    }
