"""Routes of the order door: method, path, query and body become fields of one command, or several.

Sans-I/O: strings and bytes in, dictionaries in the words of interface R2 out. Whether the
fields make sense is the codec's business, whether the key may is the desk's.
"""

from collections.abc import Callable, Collection, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from engine.text import exact_json, numbers
from engine.text.exact_json import DoubledKey, JsonFault, TooMany
from engine.trading.client_ids import canonical, order_of_address
from engine.trading.instruments import RefusedAtDoor
from engine.trading.records import Role
from gateways.entry.refusals import Refusal, Refused, malformed, refused_at_door
from gateways.http.problems import HttpReason, WrongMethod
from gateways.json_lines.fields import Fields
from gateways.process.query_string import QueryFault, refuse_unknown

ORDERS = "/v1/orders"
BATCH = "/v1/orders/batch"
ADMIN = "/v1/admin"
SESSION = "/v1/session"
IDEMPOTENCY_KEY = "Idempotency-Key"
BATCH_MAX = 1024
"""Commands in one batch: an eighth of the default command ring."""


ROLES = {
    ORDERS: int(Role.TRADER),
    BATCH: int(Role.TRADER),
    ADMIN: int(Role.OPERATOR),  # whatever the operation
}
"""Of whom the body of a POST is read: of keys that hold one of these roles."""
SHOWN_CHARS = 64
"""Of a value that an answer repeats."""


class Shape(IntEnum):
    """The shape of an answer."""

    ONE = 1  # one command, its reply is the body
    MANY = 2  # a batch: {"results": [...]} in the order given
    STEPS = 3  # administration: one after the other, each on what the one before has made


class Ask(NamedTuple):
    """What one request asks for."""

    shape: Shape
    commands: list[Fields | Refused]


def ask(method: str, path: str, query: Mapping[str, str], body: bytes, key: str | None) -> Ask:
    """Return what a request asks for, or refuse it.

    path : as it was sent, percent-encoded: an order's own id may hold a slash
    key : the Idempotency-Key header; it is the client_order_id of a new order (exchange rule S4)
    """
    methods = _ROUTES.get(path)
    if methods is None:
        order = path.removeprefix(ORDERS + "/")
        if order == path or not order or "/" in order:
            known = "/v1/orders, /v1/orders/batch, /v1/orders/{order_id}, /v1/admin, /v1/session"
            raise Refused(Refusal(HttpReason.UNKNOWN_PATH, f"no such path; there are {known}"))
        of_order = _ROUTES_OF_ORDER.get(method)
        if of_order is None:
            raise WrongMethod(method, _ROUTES_OF_ORDER)
        if key is not None:
            raise key_not_taken()
        return Ask(Shape.ONE, [of_order(order, query, body)])
    route = methods.get(method)
    if route is None:
        raise WrongMethod(method, methods or ("GET",))
    if key is not None and route is not new_order:
        raise key_not_taken()
    if method != "DELETE":
        refuse_unknown_parameters(query, ())
    return route(query, body, key)


def new_order(query: Mapping[str, str], body: bytes, key: str | None) -> Ask:
    """Return the one new order of a body."""
    fields = json_object(body)
    name_operation(fields, "new")
    if key is not None:
        _identify(fields, key)
    return Ask(Shape.ONE, [fields])


def batch(query: Mapping[str, str], body: bytes, key: str | None) -> Ask:
    """Return the new orders of a body: an array, or {"orders": [...]}."""
    given = json_objects(_unwrapped(body) if body.lstrip()[:1] == b"{" else body, "orders")
    for fields in given:
        if isinstance(fields, dict):
            name_operation(fields, "new")
    return Ask(Shape.MANY, given)


def administration(query: Mapping[str, str], body: bytes, key: str | None) -> Ask:
    """Return the administration lines of a body: one object, an array, or JSON lines."""
    text = body.strip()
    if text[:1] == b"[":
        return Ask(Shape.STEPS, json_objects(text, "lines"))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2 or not _is_json(lines[0][1]):
        return Ask(Shape.ONE, [json_object(text)])
    _bounded(len(lines), "lines")
    return Ask(Shape.STEPS, [json_object(line, f"line {number}") for number, line in lines])


def mass_cancel(query: Mapping[str, str], body: bytes, key: str | None) -> Ask:
    """Return the mass cancel that DELETE /v1/orders?account=&symbol=&side= asks for."""
    _no_body(body)
    refuse_unknown_parameters(query, ("account", "symbol", "side"))
    return Ask(Shape.ONE, [{"op": "mass_cancel", **query, **_account_of(query)}])


_ROUTES: dict[str, dict[str, Callable[[Mapping[str, str], bytes, str | None], Ask]]] = {
    ORDERS: {"POST": new_order, "DELETE": mass_cancel},
    BATCH: {"POST": batch},
    ADMIN: {"POST": administration},
    SESSION: {},  # a WebSocket, opened with GET
}


def cancel_of(order: str, query: Mapping[str, str], body: bytes) -> Fields:
    """Return the cancel that DELETE /v1/orders/{order_id} asks for."""
    _no_body(body)
    refuse_unknown_parameters(query, ("account",))
    return {"op": "cancel", **order_named(order), **_account_of(query)}


def replace_of(order: str, query: Mapping[str, str], body: bytes) -> Fields:
    """Return the replace that PATCH /v1/orders/{order_id} asks for."""
    refuse_unknown_parameters(query, ("account",))
    fields = json_object(body)
    name_operation(fields, "replace")
    for name, value in {**order_named(order), **_account_of(query)}.items():
        if fields.setdefault(name, value) != value and not _is_same_text(fields[name], value):
            raise malformed(f"says {_shown(fields[name])} in the body and {value!r} in the address", name)
    return fields


_ROUTES_OF_ORDER: dict[str, Callable[[str, Mapping[str, str], bytes], Fields]] = {
    "PATCH": replace_of,
    "DELETE": cancel_of,
}


def key_not_taken() -> Refused:
    """Return the refusal of an Idempotency-Key where it would be the client_order_id of nothing."""
    mend = "leave it out, and give each order of a batch its own client_order_id"
    return malformed(f"only POST {ORDERS} takes one; {mend}", IDEMPOTENCY_KEY)


def name_operation(fields: Fields, op: str) -> None:
    """Set `op`, which the address has given; refuse a body that says another."""
    if fields.setdefault("op", op) != op:
        raise malformed(f"this address takes op {op!r}", "op")


def json_object(raw: bytes, name: str = "the body") -> Fields:
    """Return the JSON object of a body, or of a line of it."""
    try:
        value = exact_json.decode(raw)
    except JsonFault as fault:
        raise unreadable(fault, name) from None
    if type(value) is dict:
        return value
    raise _not_an_object(name, value)


def json_objects(raw: bytes, name: str) -> list[Fields | Refused]:
    """Return the JSON objects of an array of commands; an element that is none is refused on its own."""
    try:
        elements = exact_json.elements(raw, BATCH_MAX)
    except TooMany as fault:
        raise _too_many(fault.count, name) from None
    except JsonFault as fault:
        raise unreadable(fault, "the body") from None
    _bounded(len(elements), name)
    return [each if type(each) is dict else element_fault(idx, each) for idx, each in enumerate(elements)]


def element_fault(idx: int, element: Any) -> Refused:
    """Return the refusal of an element of an array that is no object."""
    if isinstance(element, JsonFault):
        return unreadable(element, f"[{idx}]")
    return _not_an_object(f"[{idx}]", element)


def unreadable(fault: JsonFault, name: str) -> Refused:
    """Return the refusal of a text that is no JSON, or in which a key stands twice."""
    if isinstance(fault, DoubledKey):
        return malformed(f"{name}: {fault}", fault.key[:64])
    return malformed(f"{name} is not JSON: {fault}", "body")


def _unwrapped(body: bytes) -> bytes:
    """Return the array of {"orders": [...]}."""
    try:
        wrapper = exact_json.members(body)
    except JsonFault as fault:
        raise unreadable(fault, "the body") from None
    if list(wrapper) != ["orders"] or wrapper["orders"][:1] != b"[":
        raise malformed('give an array of orders, or {"orders": [...]}', "orders")
    return wrapper["orders"]


def whole_of(text: str, name: str) -> int:
    """Return the whole number of an address or query."""
    number = numbers.whole(text)
    if number is None:
        raise malformed(f"{text[:40]!r} is not a whole number; give plain digits", name)
    return number


def order_named(segment: str) -> Fields:
    """Return the order that the segment of an address names, by either id."""
    try:
        name, given = order_of_address(segment)
    except RefusedAtDoor as refusal:
        raise refused_at_door(refusal) from None
    return {name: given}


def _account_of(query: Mapping[str, str]) -> Fields:
    return {"account": whole_of(query["account"], "account")} if "account" in query else {}


def refuse_unknown_parameters(query: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse the first parameter of a query that is not read at this address."""
    try:
        refuse_unknown(query, known)
    except QueryFault as fault:
        mend = "" if known else "; give it in the body"
        raise malformed(f"{fault.detail}{mend}", fault.parameter) from None


def _identify(fields: Fields, key: str) -> None:
    """Take the Idempotency-Key as client_order_id; one key, one id."""
    given = fields.get("client_order_id")
    if given is None:
        fields["client_order_id"] = key
    elif str(given) != key and not _is_same_text(given, key):
        raise malformed(
            f"Idempotency-Key {key[:40]!r} and client_order_id {_shown(given)} differ; give one of them",
            IDEMPOTENCY_KEY,
        )


def _is_same_text(given: object, other: object) -> bool:
    """Tell whether two texts are one client id: a UUID in either case."""
    return isinstance(given, str) and isinstance(other, str) and canonical(given) == canonical(other)


def _shown(value: object) -> str:
    return f"{value!r:.{SHOWN_CHARS}}"


def _bounded(count: int, name: str) -> None:
    if not count:
        raise malformed("the batch is empty", name)
    if count > BATCH_MAX:
        raise _too_many(count, name)


def _too_many(count: int, name: str) -> Refused:
    detail = f"{count} commands; at most {BATCH_MAX} go into one batch"
    return Refused(Refusal(HttpReason.TOO_LARGE, detail, name))


def _no_body(body: bytes) -> None:
    if body.strip():
        raise malformed("no body is taken here; use the query", "body")


def _not_an_object(name: str, value: Any) -> Refused:
    return malformed(f"{name} is {exact_json.kind(value)}; give a JSON object", "body")


def _is_json(text: bytes) -> bool:
    try:
        exact_json.decode(text)
    except DoubledKey:
        return True
    except JsonFault:
        return False
    return True
