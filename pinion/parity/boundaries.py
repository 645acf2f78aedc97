"""Boundary cases that a capture and its set-up suggest: requests behind it, for the old service to judge.

    limits of set-up    one below, at and one above; a day's or 24 h's sum each on a day of its own
    windows             as many as a limit lets pass, then one in the last ms of the window and one behind it
    month's end         a card in the last ms of its month and in the first one after
    fields              longest, one longer, empty; least, most, and one beyond

Each is a payment that was approved in the capture, with a card of its own and one thing changed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from gateways.payments.door.routes import PAYMENTS, PaymentAsk, PaymentRoute
from pinion.parity.pairs import Pair, is_set_up

Fields = dict[str, Any]
SECOND_MS = 1000
MINUTE_MS, HOUR_MS, DAY_MS = 60 * SECOND_MS, 3600 * SECOND_MS, 86_400 * SECOND_MS
BUCKETS = 12
BURST_AMOUNT = 1000
AMOUNT_MAX = 999_999_999_999
OF_DAY = ("daily", "sum_24h")
CARD_WINDOWS = {"card_1m": MINUTE_MS, "card_1h": HOUR_MS}
SHARED_WINDOWS = {"device_cards_24h": (DAY_MS, "device"), "ip_cards_1h": (HOUR_MS, "ip")}
"""Rules that count cards: their windows, and the field that these share."""
LENGTHS = {"request_id": 64, "merchant": 24, "terminal": 16, "device": 128, "email": 254}
TOKEN_CHARS = 64
RANGES = {"amount": (1, AMOUNT_MAX), "account": (1, 2**63 - 1), "score": (0, 1000)}
MOST = 10_000
"""Cases at most: of set-ups with more limits the first ones are taken."""


class Boundaries:
    """Makes the cases behind a capture.

    lines : of set-up, by what they say
    limits : those of the rules by their names, -1 for one that is off
    """

    def __init__(self, pairs: Sequence[Pair], lines: Iterable[Fields], limits: Mapping[str, int]) -> None:
        self._lines = [
            *lines,
            *(line for pair in pairs if is_set_up(pair.route) for line in lines_of(pair.request)),
        ]
        self._limits = limits
        self._templates = _approved(pairs)
        self._next_ms = max((pair.at_ms for pair in pairs), default=0) + DAY_MS
        self._number = max((pair.n for pair in pairs), default=0)

    def cases(self) -> Iterator[Pair]:
        """Yield the cases in their order."""
        if not self._templates:
            return
        kinds = (self._of_fields(), self._of_windows(), self._of_month_end(), self._of_limits())
        yield from islice(chain.from_iterable(kinds), MOST)

    def _of_limits(self) -> Iterator[Pair]:
        """Yield payments around each limit of a merchant or an account."""
        for line in self._lines:
            name = line.get("op")
            if name not in ("merchant", "account") or name not in line:
                continue
            named = {name: line[name]}
            for currency, limits in _by_currency(line.get("limits")):
                for kind, limit in _by_currency(limits):
                    gap_ms = 2 * DAY_MS if kind in OF_DAY else SECOND_MS
                    yield from self._around(limit, gap_ms, {**named, "currency": currency})
            for currency, limit in _by_currency(line.get("sca_above")):
                fields = {**named, "currency": currency, "channel": "ecom", "sca": False}
                yield from self._around(limit, SECOND_MS, fields)
            for currency, limit in _by_currency(line.get("geo_above")):
                fields = {**named, "currency": currency, "ip_country": "FR"}
                yield from self._around(limit, SECOND_MS, fields, {"issuer_country": "DE"})

    def _around(self, limit: Any, gap_ms: int, fields: Fields, card: Fields | None = None) -> Iterator[Pair]:
        if type(limit) is not int:
            return
        for amount in (limit - 1, limit, limit + 1):
            if 1 <= amount <= AMOUNT_MAX:
                self._next_ms += gap_ms
                yield self._case({**fields, "amount": amount}, card)

    def _of_windows(self) -> Iterator[Pair]:
        """Yield bursts of as many as pass, each with one more at an edge of the window that they fill."""
        for beyond_ms in (-1, 0):
            for rule, window_ms in CARD_WINDOWS.items():
                yield from self._burst(rule, window_ms, beyond_ms, {}, {"token": f"edge-{rule}{beyond_ms}"})
            for rule, (window_ms, field) in SHARED_WINDOWS.items():
                shared = f"10.0.{window_ms % 251}.{1 - beyond_ms}"
                yield from self._burst(rule, window_ms, beyond_ms, {field: shared})

    def _burst(
        self, rule: str, window_ms: int, beyond_ms: int, fields: Fields, card: Fields | None = None
    ) -> Iterator[Pair]:
        limit = self._limits.get(rule, -1)
        if limit < 0:
            return
        bucket_ms = window_ms // BUCKETS
        begin = (self._next_ms // bucket_ms + 2 * BUCKETS) * bucket_ms
        self._next_ms = begin
        for idx in range(limit):
            yield self._case({**fields, "amount": BURST_AMOUNT + idx}, card)
        self._next_ms = begin + window_ms + beyond_ms
        yield self._case({**fields, "amount": BURST_AMOUNT + limit}, card)

    def _of_month_end(self) -> Iterator[Pair]:
        """Yield a card in the last ms of its month, and another one in the first ms of the next month."""
        now = datetime.fromtimestamp(self._next_ms / 1000, UTC)
        year, month = now.year + now.month // 12, now.month % 12 + 1
        end_ms = int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
        expiry = f"{now.year % 100:02}{now.month:02}"
        for self._next_ms in (end_ms - 1, end_ms):
            yield self._case({}, {"expiry": expiry})

    def _of_fields(self) -> Iterator[Pair]:
        """Yield texts and numbers at the ends of what they may be, and beyond."""
        for name, chars in LENGTHS.items():
            for text in ("x" * chars, "x" * (chars + 1), ""):
                yield self._case({name: text})
        for text in ("x" * TOKEN_CHARS, "x" * (TOKEN_CHARS + 1), ""):
            yield self._case({}, {"token": text})
        for name, (least, most) in RANGES.items():
            for number in (least - 1, least, most, most + 1):
                yield self._case({name: number})

    def _case(self, fields: Fields, card: Fields | None = None) -> Pair:
        """Return a payment with other fields, and a request_id and a card of its own where none is given."""
        self._number += 1
        body = {
            **self._template(fields),
            "request_id": f"edge-{self._number}",
            "card": {"token": f"edge-{self._number}", "expiry": "9912", **(card or {})},
            **fields,
        }
        route = PaymentRoute(PaymentAsk.PAY)
        request = json.dumps(body, separators=(",", ":")).encode()
        return Pair(self._number, self._next_ms, "POST", PAYMENTS, route, request, None, None)

    def _template(self, fields: Fields) -> Fields:
        """Return the last approved payment of the merchant or account that fields name, else of any."""
        for name in ("merchant", "account"):
            found = self._templates.get((name, fields.get(name)))
            if found is not None:
                return found
        return next(reversed(self._templates.values()))


def lines_of(text: bytes) -> Iterator[Fields]:
    """Yield the lines of set-up that are JSON objects."""
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):  # the service says what is wrong with it
            continue
        if isinstance(found, dict):
            yield found


def _by_currency(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()


def _approved(pairs: Sequence[Pair]) -> dict[tuple[Any, Any], Fields]:
    """Return what approved payments asked, without what is about one alone, by merchant and by account."""
    found: dict[tuple[Any, Any], Fields] = {}
    for pair in pairs:
        if pair.route.ask != PaymentAsk.PAY or b'"APPROVE"' not in (pair.reply or b""):
            continue
        fields = json.loads(pair.request)
        kept = {name: fields[name] for name in ("merchant", "channel", "amount", "currency", "account")}
        for name in ("merchant", "account"):
            found[name, fields[name]] = kept
    return found
