"""Seeded requests that no client should send: anything, changed ones, odd heads, odd bodies."""

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "CONNECT", "TRACE", "BREW", "get")
PATHS = (
    *("/", "*", "/v1", "/v1/payments", "/v1/payments/", "/v1/payments/void", "/v1/payments/admin"),
    *("/v1/payments/a-1", "/v1/payments/a-0", "/v1/payments/a-99999999999999999999", "/v1/payments/b-1"),
    *("/v1/payments/a-1/capture", "/v1/payments/a-1/review", "/v1/payments/a-1/capture/x", "//v1/payments"),
    *("/v1/payments/accounts/1", "/v1/payments/accounts/-1", "/v1/payments/accounts/9" + "9" * 30),
    *("/v1/payments/%00", "/v1/payments/%ff%fe", "/v1/payments/../x", "/v1/payments?x=1", "/v1/payments#x"),
    *("http://localhost/v1/payments", "http://[::1/v1", "localhost:8002", "/v1/payments/" + "a" * 3000),
)
HEADERS = (
    *("Content-Length: 5", "Content-Length: 99999999999999999999", "Content-Length: -1", "Content-Length: x"),
    *(
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Content-Encoding: gzip",
        "Expect: 100-continue",
    ),
    *("Expect: more", "Upgrade: websocket", "Connection: close", "Connection: Upgrade", "Host: elsewhere"),
    *("Host: localhost", "Origin: http://elsewhere", "Pinion-Deadline-Ms: 0", "Pinion-Deadline-Ms: 60000"),
    *("Pinion-Deadline-Ms: x", "Pinion-Account: 1", "Pinion-Account: 2", "Authorization: Basic eDp4"),
    *("Authorization: Bearer", "Cookie: a=b", "X: " + "y" * 9000, "\x01: x", ": x", " folded", "X-é: ü"),
)
PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\0",
        b"\xff\xfe",
        b"\xc3",
        b"\xed\xa0\x80",
        b" ",
        b"\t",
        b":",
        b",",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u0000", b"\\ud800", b"0", b"9" * 40, b"-", b"1e9", b"null"),
    *(b"HTTP/1.1", b"HTTP/9.9", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
)
VALUES = (
    *("null", "true", "false", "-1", "0", "1", "1.5", "1e999", "-0.0", "1E400", str(2**63), str(2**64)),
    *(str(10**40), "9" * 5000, '""', '"x"', '"' + "x" * 300 + '"', '"\\ud800"', '"\\u0000"', '"é𝄞"'),
    *(
        "[]",
        "{}",
        "[[[[]]]]",
        '{"a":{"b":[]}}',
        "[" * 200 + "]" * 200,
        '"4012888888881881"',
        "4012888888881881",
    ),
    *('"2001:db8::1"', '"999.1.1.1"', '"EUR"', '"XXX"', '"a-1"', '{"pan":"1","pan":"2"}', "NaN", "Infinity"),
)
WHOLES = (
    *(
        b"",
        b" ",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"}",
        b"{}",
        b'{"a"}',
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"\xff",
    ),
    *(
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"9" * 60_000,
        b'"' + b"x" * 65_000,
        b"\0" * 100,
        b"{}\n{}\n\n",
        b"x" * 70_000,
    ),
)
CARD = {"token": '"t"', "expiry": '"9912"', "type": '"debit"'}
PAN_CARD = {"pan": '"4111111111111111"', "expiry": '"9912"', "issuer_country": '"DE"'}
PAY = {
    "request_id": '"r"', "merchant": '"m"', "channel": '"ecom"', "amount": "10", "currency": '"EUR"',
    "account": "2", "op": '"sale"', "terminal": '"T1"', "device": '"d"', "ip": '"192.0.2.7"',
    "email": '"a@b.c"', "ip_country": '"DE"', "sca": "true", "cvv_result": '"match"', "score": "1",
    "allow_partial": "true", "explain": "true",
}  # fmt: skip
ADMIN = (
    {"op": '"merchant"', "merchant": '"m"', "limits": '{"EUR":{"min":1}}', "hold_days": "7", "mcc": '"5411"'},
    {"op": '"account"', "account": "2", "status": '"open"', "balances": '{"EUR":1}', "count_24h": "20"},
    {"op": '"list"', "list": '"lost"', "add": '["t2"]', "remove": "[]"},
    {"op": '"deposit"', "account": "2", "currency": '"EUR"', "amount": "5", "id": '"d"'},
)
MOVE = {"request_id": '"m"', "amount": "5"}
OF_PATH: tuple[tuple[str, tuple[dict[str, str], ...]], ...] = (
    ("/v1/payments", (PAY,)),
    ("/v1/payments/a-9/capture", ({**MOVE, "final": "true"},)),
    ("/v1/payments/a-9/void", (MOVE,)),
    ("/v1/payments/a-9/refund", (MOVE,)),
    ("/v1/payments/a-9/review", ({"outcome": '"approve"'},)),
    ("/v1/payments/void", ({"request_id": '"r"', "merchant": '"m"'},)),
    ("/v1/payments/admin", ADMIN),
)


class Case(NamedTuple):
    """What is sent on one connection."""

    kind: str
    parts: list[bytes]
    is_whole: bool = False
    """Whether it is one request without doubt, which must be answered."""
    to_head: bool = False
    """Whether the answer has no body."""


class Cases:
    """Makes cases; key : a token that the door knows."""

    def __init__(self, pick: random.Random, key: str) -> None:
        self._pick = pick
        self._key = key
        self._makers: list[Callable[[], Case]] = [
            self._anything, self._changed, self._changed, self._odd_head, self._odd_body, self._odd_body,
        ]  # fmt: skip

    def next(self) -> Case:
        """Return another case."""
        return self._pick.choice(self._makers)()

    def _anything(self) -> Case:
        data = self._pick.randbytes(self._pick.choice((1, 20, 300, 5000)))
        return Case("anything", self._parts(data))

    def _changed(self) -> Case:
        path, bodies = self._pick.choice(OF_PATH)
        data = self._request("POST", path, _text(self._with_card(self._pick.choice(bodies))).encode())
        if self._pick.random() < 0.3:
            data += self._request("GET", "/v1/payments/accounts/2")
        for _ in range(self._pick.choice((1, 1, 2, 5, 20))):
            data = self._mutated(data)
        if self._pick.random() < 0.2:
            data = data[: self._pick.randrange(len(data) + 1)]
        return Case("changed", self._parts(data))

    def _mutated(self, data: bytes) -> bytes:
        pick = self._pick
        at = pick.randrange(len(data) + 1)
        end = min(len(data), at + pick.choice((1, 1, 3, 40)))
        match pick.randrange(4):
            case 0:
                return data[:at] + pick.choice(PIECES) + data[at:]
            case 1:
                return data[:at] + data[end:]
            case 2:
                return data[:end] + data[at:end] * pick.choice((1, 1, 50)) + data[end:]
            case _:
                return data[:at] + bytes(each ^ 1 << pick.randrange(8) for each in data[at:end]) + data[end:]

    def _odd_head(self) -> Case:
        pick = self._pick
        method, path = pick.choice(METHODS), pick.choice(PATHS)
        headers = pick.sample(HEADERS, pick.choice((0, 0, 1, 2, 3)))
        data = self._request(method, path, pick.choice((b"", b"{}", b"5\r\nhello\r\n0\r\n\r\n")), headers)
        return Case("odd head", self._parts(data), to_head=method == "HEAD")

    def _odd_body(self) -> Case:
        path, bodies = self._pick.choice(OF_PATH)
        if self._pick.random() < 0.15:
            body = self._pick.choice(WHOLES)
        else:
            fields = self._with_card(self._pick.choice(bodies))
            body = self._odd(fields).encode("utf-8", "surrogatepass")
            if self._pick.random() < 0.05:
                body = self._mutated(body)
        return Case("odd body", self._parts(self._request("POST", path, body)), is_whole=True)

    def _odd(self, fields: dict[str, str]) -> str:
        """Return an object of which some fields are odd, missing, unknown or there twice."""
        pick = self._pick
        pairs = list(fields.items())
        for _ in range(pick.choice((0, 1, 1, 2, 4))):
            place = pick.randrange(len(pairs)) if pairs else 0
            match pick.randrange(5):
                case 0 | 1 if pairs:
                    pairs[place] = (pairs[place][0], pick.choice(VALUES))
                case 2 if pairs:
                    del pairs[place]
                case 3 if pairs:
                    pairs.append(pick.choice(pairs))
                case _:
                    pairs.insert(
                        place, (pick.choice(("zz", "received_at", "", "9" * 20)), pick.choice(VALUES))
                    )
        return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"

    def _with_card(self, fields: dict[str, str]) -> dict[str, str]:
        """Return fields with a name of their own, and with a card where they are those of a payment."""
        made = {**fields}
        if "request_id" in made:
            made["request_id"] = json.dumps(f"r{self._pick.randrange(10**6)}")
        if "channel" in made:
            card = self._pick.choice((CARD, PAN_CARD))
            made["card"] = self._odd(card) if self._pick.random() < 0.2 else _text(card)
        return made

    def _request(self, method: str, path: str, body: bytes = b"", headers: Any = ()) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._key}",
            *headers,
        ]
        if not any(each.startswith(("Content-Length", "Transfer-Encoding")) for each in headers):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _parts(self, data: bytes) -> list[bytes]:
        """Return the bytes in one piece or in some."""
        places = sorted(self._pick.randrange(len(data) + 1) for _ in range(self._pick.choice((0, 0, 1, 3))))
        return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


def _text(fields: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
