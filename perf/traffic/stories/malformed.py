"""Stories about bodies in bad form: every field missing, unknown, repeated, of a wrong type, out of range."""

from typing import Any

from perf.traffic.items import CAPTURE, PAY, REFUND, REVERSE, REVIEW, VOID, Item, Story, text_of
from perf.traffic.world import Payer, World, checked

TEXTS: tuple[Any, ...] = ("", "a b", "x" * 300, "é", None, 7, 1.5, True, [], {}, "a\nb", "\x7f")
NUMBERS: tuple[Any, ...] = ("1", 1.0, True, None, -1, 0, 2**63, 10**30, [], {}, 999_999_999_999, 10**12)
WRONG: dict[str, tuple[Any, ...]] = {
    "request_id": (*TEXTS, "r" * 65, "r" * 64, "4111111111111111"),
    "merchant": (*TEXTS, "m" * 25, "m/1"),
    "op": (*TEXTS, "Sale", "capture"),
    "channel": (*TEXTS, "POS"),
    "amount": NUMBERS,
    "currency": (*TEXTS, "eur", "XXX", "XAU", "EURO", "CLF", "USN"),
    "account": (*NUMBERS, 2**63 - 1),
    "card": (None, 7, "4111111111111111", [], {}),
    "terminal": (*TEXTS, "t" * 17, "t" * 16, " "),
    "device": (*TEXTS, "d" * 129, "d" * 128),
    "ip": (*TEXTS, "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "::1", "::1%eth0", "1::2::3", ":"),
    "email": (*TEXTS, "a@", "a@b", "x" * 255),
    "ip_country": (*TEXTS, "de", "DEU", "9A", "XX"),
    "sca": (0, 1, "true", None),
    "cvv_result": (*TEXTS, "partial", "none"),
    "avs_result": (*TEXTS, "partial", "maybe"),
    "score": (*NUMBERS, 1000, 1001),
    "allow_partial": (0, 1, "true", None),
    "explain": (0, 1, "false", None),
    "received_at": ("1", 1.0, True, None, -1, 10**15, 2**63, []),
    "Amount": (1,),
    "note": ("a",),
    "411111111111": (1,),
}
WRONG_OF_CARD: dict[str, tuple[Any, ...]] = {
    "pan": (*TEXTS, "4111111111111112", "41111111111", "4" * 20, "4111 1111 1111 1111", checked("4" * 18)),
    "token": (*TEXTS, "t" * 65, "t" * 64),
    "bin": (*TEXTS, "41111", "411111", "4111111", "41111111", "411111111"),
    "last4": (*TEXTS, "123", "1234", "12345"),
    "expiry": (*TEXTS, "2513", "2500", "251", "20251", "0001", "9912"),
    "type": (*TEXTS, "Debit"),
    "issuer_country": (*TEXTS, "de", "DEU"),
    "cvv": ("123",),
}
TEXT_BODIES = (
    *("", "null", "[]", "7", '"x"', "{", "{}", '{"a":1,}', "NaN", '{"amount":NaN}', "\ufeff{}", "[" * 5000),
    *('{"request_id":"r1"', '{"request_id":"\\ud800"}', '{"\\ud800":1}', '{"amount":1e5}', "{'a':1}"),
)
OPERATION_WRONG: dict[str, tuple[Any, ...]] = {
    "request_id": WRONG["request_id"],
    "amount": NUMBERS,
    "final": (0, "true", None, True),
    "received_at": WRONG["received_at"],
    "note": (1,),
    "merchant": ("m1",),
    "outcome": (*TEXTS, "Approve", "approve"),
}


def malformed(world: World, at: int) -> Story:
    """Send one body with one fault, or with two."""
    rng, payer = world.rng, Payer(world)
    body = payer.body(at)
    for _ in range(rng.choice((1, 1, 1, 2))):
        _spoil(world, body)
    yield at, Item(PAY, body)
    if world.chance(0.1):
        yield at, Item(PAY, rng.choice(TEXT_BODIES))


def _spoil(world: World, body: dict[str, Any]) -> None:
    rng = world.rng
    luck = rng.random()
    if luck < 0.1 and isinstance(body["card"], dict):
        body["card"] = {"pan": str(10**15 + rng.randrange(10**15)), "expiry": "4912"}
    elif luck < 0.45:
        name = rng.choice(tuple(WRONG))
        body[name] = rng.choice(WRONG[name])
    elif luck < 0.7 and isinstance(body["card"], dict):
        name = rng.choice(tuple(WRONG_OF_CARD))
        body["card"] = {**body["card"], name: rng.choice(WRONG_OF_CARD[name])}
    elif luck < 0.9:
        body.pop(rng.choice(tuple(body)), None)
        body.setdefault("card", {"expiry": "4912"} if rng.random() < 0.5 else {"pan": world.pan()})
    else:
        where = rng.choice(("device", "request_id", "email", "note"))
        pan = body["card"].get("pan") if isinstance(body["card"], dict) else None
        if isinstance(pan, str) and pan.isdigit() and rng.random() < 0.3:
            body["account"] = int(pan)
        else:
            body[where] = f"x{pan}"


def repeated_fields(world: World, at: int) -> Story:
    """Send a body that gives a field twice, or that escapes what it says."""
    rng, payer = world.rng, Payer(world)
    body = payer.body(at)
    text = text_of(body)
    what = rng.randrange(4)
    name = rng.choice([name for name in body if name != "card"])
    if what == 0:
        text = f'{text[:-1]},"{name}":{text_of({"": body[name]})[4:-1]}}}'
    elif what == 1:
        text = text.replace('"expiry"', '"expiry":"4912","expiry"')
    elif what == 2:
        text = text.replace('"amount"', '"\\u0061mount"')
    else:
        text = f'{{{text[1:-1]} , \n "terminal" : "a:b\\u0041" }}'
    yield at, Item(PAY, text)


def malformed_operations(world: World, at: int) -> Story:
    """Send operations with one fault in their body."""
    rng, payer = world.rng, Payer(world)
    mine = yield payer.pay(at, op="authorise")
    for _ in range(3):
        kind = rng.choice((CAPTURE, VOID, REFUND, REVIEW, REVERSE))
        body: dict[str, Any] = {"request_id": world.name("o"), "received_at": at}
        if kind == REVERSE:
            body["merchant"] = payer.fixed["merchant"]
        elif kind == REVIEW:
            body = {"outcome": "approve", "received_at": at}
        if rng.random() < 0.8:
            name = rng.choice(tuple(OPERATION_WRONG))
            body[name] = rng.choice(OPERATION_WRONG[name])
        else:
            body.pop(rng.choice(tuple(body)))
        yield at, Item(kind, body if rng.random() < 0.95 else rng.choice(TEXT_BODIES), mine)
