"""What a request has to do with others: parts of a capture that may suffice for a difference, smallest first.

Rules count by card, account, merchant, device, address, e-mail and BIN; an operation has to do with what its
payment has to do with. A part is what shares such a key with the request in question, or the last few of
that, and the set-up which these name.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pinion.parity.answers import PAYMENT
from pinion.parity.pairs import Pair, is_set_up

Key = tuple[str, str]
Keys = frozenset[Key]
BIN_DIGITS = 6
KINDS: tuple[tuple[str, ...], ...] = (
    (),
    ("payment", "request"),
    *((kind,) for kind in ("card", "account", "merchant", "device", "ip", "email", "bin")),
    ("card", "account"),
    ("card", "account", "merchant"),
    ("card", "account", "merchant", "device", "ip", "email", "bin"),
)
"""What a part shares with the request in question; the whole is tried last."""
SET_UP_KINDS = frozenset(("card", "account", "merchant", "device", "ip", "email", "bin"))
LASTS = (8, 32, 128, 512, 2048, 8192)
LIST_KINDS = {
    **dict.fromkeys(("lost", "stolen", "block_card", "allow_card"), "card"),
    **{f"block_{kind}": kind for kind in ("bin", "account", "device", "ip", "email")},
}


def parts(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield parts of a sequence that end with its last pair, smallest first, each once; the whole last."""
    keys = _all_keys(pairs)
    found: dict[tuple[int, ...], None] = {}
    for kinds in KINDS:
        wanted = {key for key in keys[-1] if key[0] in kinds}
        related = [idx for idx in range(len(pairs) - 1) if wanted & keys[idx]]
        for count in (*LASTS, len(related)):
            found[_with_set_up(pairs, keys, related[len(related) - min(count, len(related)) :])] = None
    found[tuple(range(len(pairs)))] = None
    for chosen in sorted(found, key=len):
        yield [pairs[idx] for idx in chosen]


def _with_set_up(pairs: Sequence[Pair], keys: Sequence[Keys], chosen: list[int]) -> tuple[int, ...]:
    """Return what is chosen, the last pair, and the lines of set-up that have to do with any of these."""
    last = len(pairs) - 1
    named = {key for idx in (*chosen, last) for key in keys[idx] if key[0] in SET_UP_KINDS}
    lines = {idx for idx, pair in enumerate(pairs) if is_set_up(pair.route) and named & keys[idx]}
    return tuple(sorted({*chosen, *lines, last}))


def _all_keys(pairs: Sequence[Pair]) -> list[Keys]:
    """Return the keys of each pair."""
    found: list[Keys] = []
    of_payment: dict[str, Keys] = {}
    of_request: dict[Key, Keys] = {}
    for pair in pairs:
        keys = _keys_of(pair)
        if pair.route.name:
            keys |= of_payment.get(pair.route.name, frozenset()) | {("payment", pair.route.name)}
        for key in [each for each in keys if each[0] == "request"]:
            keys |= of_request.setdefault(key, keys)
        payment = (_fields(pair.reply or b"") or {}).get(PAYMENT)
        if isinstance(payment, str):
            keys |= {("payment", payment)}
            of_payment.setdefault(payment, keys)
        found.append(keys)
    return found


def _keys_of(pair: Pair) -> Keys:
    """Return what the body of a request names."""
    if is_set_up(pair.route):
        lines = [_fields(line) or {} for line in pair.request.split(b"\n") if line.strip()]
        return frozenset(key for line in lines for key in _keys_of_line(line))
    fields = _fields(pair.request) or {}
    keys: set[Key] = {
        (name, str(fields[name]))
        for name in ("merchant", "account", "device", "ip", "email")
        if name in fields
    }
    if "merchant" in fields and "request_id" in fields:
        keys.add(("request", f"{fields['merchant']} {fields['request_id']}"))
    card = fields.get("card")
    if isinstance(card, dict):
        number = card.get("pan", card.get("token"))
        keys |= {("card", str(number)), ("bin", str(card.get("pan", card.get("bin")))[:BIN_DIGITS])}
    return frozenset(keys)


def _keys_of_line(line: dict[str, Any]) -> Iterator[Key]:
    """Yield what a line of set-up is about."""
    for name in ("merchant", "account"):
        if name in line:
            yield name, str(line[name])
    kind = LIST_KINDS.get(str(line.get("list")))
    for change in ("add", "remove"):
        entries = line.get(change)
        for entry in entries if kind and isinstance(entries, list) else ():
            yield kind or "", str(entry)[:BIN_DIGITS] if kind == "bin" else str(entry)


def _fields(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # it has to do with nothing
        return None
    return found if isinstance(found, dict) else None
