"""`/openapi.json`: the routes of both doors, that of payments and this one, for people and tools."""

from collections.abc import Mapping

from api.payments.schemas import MERCHANT, TEXT, code_table, schemas
from api.process.openapi import (
    CURSOR,
    LIMIT,
    Schema,
    encoded,
    object_of,
    open_route,
    parameter,
    refusals,
    route,
    whole,
)
from engine.payments.codes import TABLE

DESCRIPTION = """Two doors of one instance: that of payments decides, the other lists what was decided.

**Keys.** Every `/v1` route needs `Authorization: Bearer KEY`. A key has roles: `acquirer` pays and reads for
its merchants, and reads of a code what its merchant discloses; `risk` sets up and reviews; `risk` and
`viewer` read everything.

**Units.** Amounts are integers in minor units, times milliseconds since 1970, UTC.

**Replies.** A decision is 200 whatever it says; everything has the same shape, null is what is not known.
`retry` says whether the same request may be sent again. An answer comes once it is durable.

**History.** The list comes from a database that follows the journal, a fraction of a second late;
`as_of_seq` is the last command that it includes. `next_cursor` is opaque: nothing is skipped or repeated
between pages, whatever happens meanwhile. Without a database, or while it is down, 503 says so.

**The page.** `/payments` shows decisions, sets of rules and the trial, and asks for a key. Its buttons, acts
on a canary (`advance`, `pause`, `resume`, `rollback`), go to the same addresses of the api as of the door, to
which the api hands them on.

"""

_TIME = {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]}
FILTERS = (
    parameter("query", "account", whole(1, 2**63 - 1), "payments of one account"),
    parameter("query", "merchant", MERCHANT, "payments at one merchant; of an acquirer's key one of its own"),
    parameter("query", "code", TEXT, "payments with one code, as the key reads it"),
    parameter("query", "from", _TIME, "ms since 1970, or a date and time with its zone; included"),
    parameter("query", "to", _TIME, "the same; not included"),
    LIMIT,
    CURSOR,
)
ID = parameter("path", "id", TEXT, "a payment, such as a-17")
DEADLINE = {
    "in": "header",
    "name": "Pinion-Deadline-Ms",
    "required": False,
    "schema": whole(1, 60_000, 1000),
    "description": "how long an answer is of use; then it is TIMEOUT",
}
OWNER = {
    "in": "header",
    "name": "Pinion-Account",
    "required": False,
    "schema": {"type": "integer"},
    "description": "the account that a load balancer went by",
}


def document(doors: Mapping[str, str]) -> bytes:
    """Return the OpenAPI document; doors : section of each door -> its URL."""
    return encoded("Pinion payments", DESCRIPTION + code_table(), _paths(doors), schemas())


def _paths(doors: Mapping[str, str]) -> Schema:
    """Return every path; one may have methods at either door."""
    paths: dict[str, Schema] = {}
    for section, found in (("payments", _of_payments()), ("api", _of_api())):
        servers = [{"url": doors[section]}] if section in doors else []
        for path, methods in found.items():
            served = {method: {"servers": servers, **each} for method, each in methods.items()}
            paths.setdefault(path, {}).update(served)
    return paths


def _of_payments() -> Schema:
    return {
        "/v1/payments": _post("Authorise, or sell", "Payment", "PaymentReply", OWNER),
        "/v1/payments/{id}": {"get": _answered("What a payment has become", "MovedReply", ID)},
        "/v1/payments/{id}/capture": _post("Take what is held", "Capture", "MovedReply", ID),
        "/v1/payments/{id}/void": _post("Release what is held", "Void", "MovedReply", ID),
        "/v1/payments/{id}/refund": _post("Give back what was captured", "Refund", "MovedReply", ID),
        "/v1/payments/{id}/review": _post("Decide what is in review (risk)", "Review", "MovedReply", ID),
        "/v1/payments/void": _post("Void by merchant and request", "Reversal", "MovedReply"),
        "/v1/payments/accounts/{account}": {
            "get": _answered(
                "Balances of an account (risk, viewer)",
                "Account",
                parameter("path", "account", whole(1, 2**63 - 1), "its number"),
            )
        },
        **_of_rules(),
        "/v1/payments/admin": {
            "post": {
                "summary": "Set up merchants, accounts, lists and deposits (risk)",
                "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": TEXT}}},
                "responses": {"200": _content("what was applied", {"type": "object"})}
                | refusals(403, 413, 422),
            }
        },
    }


def _of_rules() -> Schema:
    """Return the paths of sets of rules and trials; their documents are described in words alone."""
    ruleset = parameter("path", "ruleset", whole(1, 2**31 - 1), "its id")
    acts = {"start": "Start a canary", "set": "Give it another percentage", "advance": "Take its next step"}
    acts |= {"pause": "Take no step meanwhile", "resume": "Go on", "rollback": "End it"}
    return {
        "/v1/payments/rulesets": {
            "get": _of_document("Every set of rules that is kept (risk, viewer)"),
            "post": _acts("Register a set of rules (risk)"),
        },
        "/v1/payments/rulesets/{ruleset}/shadow": {"post": _acts("Try a set in shadow (risk)", ruleset)},
        "/v1/payments/rulesets/{ruleset}/activate": {"post": _acts("Let a set govern (risk)", ruleset)},
        "/v1/payments/canary": {"get": _of_document("How the trial stands (risk, viewer)")},
        **{f"/v1/payments/canary/{act}": {"post": _acts(f"{text} (risk)")} for act, text in acts.items()},
    }


def _of_document(summary: str) -> Schema:
    return {"summary": summary, "responses": {"200": _content("the document", {"type": "object"})}}


def _acts(summary: str, *parameters: Schema) -> Schema:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "requestBody": {"required": False, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": _content("how it stands now", {"type": "object"})}
        | refusals(403, 404, 409, 413, 422, 503, 504),
    }


def _of_api() -> Schema:
    number, text = {"type": "integer"}, TEXT
    page = object_of(
        payments={"type": "array", "items": {"$ref": "#/components/schemas/MovedReply"}},
        next_cursor={"type": ["string", "null"]},
        as_of_seq=number,
    )
    status = object_of(durability=text, processes={"type": "array"}, rings={"type": "array"}, seq=number)
    status["properties"]["store"] = {"enum": ["up", "down"], "description": "of a fleet, where there is one"}
    latency = object_of(unit=text, stages={"type": "object"})
    return {
        "/v1/payments": route("Payments, newest first (needs history)", page, *FILTERS, refused=(403,)),
        "/v1/status": route("Processes, rings, durability, lag, rates", status, refused=(403,)),
        "/v1/latency": route("A latency histogram per stage", latency, refused=(403,)),
        "/v1/overview": route(
            "What the page shows (risk, viewer)", object_of(canary={"type": "object"}), refused=(403,)
        ),
        "/payments": open_route("The live page", "text/html"),
        "/metrics": open_route("Prometheus metrics", "text/plain"),
        "/healthz": open_route("This process answers", "application/json"),
        "/readyz": open_route(
            "A payment would be answered; else 503 says what is to blame", "application/json", 503
        ),
    }


def _post(summary: str, body: str, reply: str, *parameters: Schema) -> Schema:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
    return {
        "post": _answered(summary, reply, *parameters, DEADLINE)
        | {"requestBody": {"required": True, "content": content}}
    }


def _answered(summary: str, reply: str, *parameters: Schema) -> Schema:
    """Return what is answered by a reply: each status with the codes that have it, then problems."""
    schema = {"$ref": f"#/components/schemas/{reply}"}
    answers = {"200": _content("the reply", schema)}
    if reply != "Account":
        for status in sorted({row.http for row in TABLE} - {200}):
            codes = [row.name for row in TABLE if row.http == status and row.name != "UNSUPPORTED"]
            answers[str(status)] = _content(f"the reply: {', '.join(codes)}", schema)
    problems = {
        str(each): answer for each, answer in refusals(403, 404, 413).items() if str(each) not in answers
    }
    return {"summary": summary, "parameters": list(parameters), "responses": answers | problems}


def _content(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
