"""The plain request: one that can be taken whole from a chunk of bytes without doubt.

Almost every command arrives as one small POST in one segment on a kept connection. For those
the general protocol machine costs more than the command: a parser run, a stream, a task and a
request object. `PlainRequests.take` recognises them, and only them. Whatever is unusual in
the least (a body that has not come yet, chunks, Expect, Upgrade, an odd character, a header
given twice) is None: the connection then belongs to aiohttp for good, from this byte on.
So the two never share a message, and there is nothing to disagree about.

A door says by a `PlainKind` which targets and headers are its own. Measured by tier http: with it
the door for orders needs about half the CPU per order.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateways.process.query_string import QueryFault, parameters

HEADS_KEPT = 1024
HEAD_MAX = 8192
_END = b"\r\n\r\n"
LENGTH_DIGITS = 5
_NOT_PLAIN = frozenset(
    (
        *(b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer", b"content-encoding"),
        *(b"proxy-connection", b"origin"),
    )
)
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t"


class PlainKind(NamedTuple):
    """What makes a request plain at one door."""

    methods: frozenset[str]
    target: str
    """Of the path, or what stands before a slash in it."""
    not_plain: tuple[str, ...]
    """Ends of paths behind which work waits for its turn."""
    length_max: int
    """Of a body: work on longer ones waits for its turn."""
    headers: tuple[str, ...]
    """Names, in small letters, of the headers that the door reads beside those of HTTP."""
    unique: str
    """Of these headers the one that hardly ever comes again with the same value."""


class Head(NamedTuple):
    """What the head of a plain request says."""

    method: str
    path: str
    """As sent, percent-encoded."""
    query: Mapping[str, str]
    length: int
    host: str
    authorization: str | None
    own: tuple[str | None, ...]
    """The values of the headers that the door reads, in the order of its kind."""


class PlainRequests:
    """Recognises plain requests; remembers the heads it has read, for clients repeat theirs.

    kind : what is plain at this door
    allows_host : tells whether the door answers for a Host; asked once a head
    """

    def __init__(self, kind: PlainKind, allows_host: Callable[[str], bool]) -> None:
        self._kind = kind
        self._unique = f"\r\n{kind.unique}:".encode()
        self._unique_idx = kind.headers.index(kind.unique)
        self._allows_host = allows_host
        self._heads: dict[bytes, Head] = {}

    def take(self, data: bytes) -> tuple[Head, bytes, bytes] | None:
        """Return (head, body, what follows) of the request that begins `data`, None if it is not plain."""
        end = data.find(_END)
        if end < 0:
            return None
        head = self._head(data[:end])
        if head is None:
            return None
        begin = end + len(_END)
        end = begin + head.length
        if end > len(data):
            return None
        return head, data[begin:end], data[end:]

    def _head(self, raw: bytes) -> Head | None:
        """Return what a head says; the header that is never the same is cut out, the rest remembered."""
        begin = raw.lower().find(self._unique)
        if begin < 0:
            return self._repeated_head(raw)
        end = raw.find(b"\r\n", begin + 2)
        rest = raw[:begin] if end < 0 else raw[:begin] + raw[end:]
        value = raw[begin + len(self._unique) : len(raw) if end < 0 else end].strip(b" \t")
        if len(raw) > HEAD_MAX or value.translate(None, _PRINTABLE):
            return None
        head = self._repeated_head(rest)
        idx = self._unique_idx
        if head is None or head.own[idx] is not None:  # it is given twice
            return None
        return head._replace(own=(*head.own[:idx], value.decode(), *head.own[idx + 1 :]))

    def _repeated_head(self, raw: bytes) -> Head | None:
        """Return what a head says that clients send again and again."""
        head = self._heads.get(raw)
        if head is None:
            head = read_head(raw, self._kind)
            if head is None or not self._allows_host(head.host):
                return None
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[raw] = head
        return head


def read_head(raw: bytes, kind: PlainKind) -> Head | None:
    """Read the head of a request without its empty line; None unless it is plain."""
    lines = raw.split(b"\r\n")
    if len(raw) > HEAD_MAX or b"".join(lines).translate(None, _PRINTABLE):
        return None
    parts = lines[0].decode().split(" ")
    if len(parts) != 3 or parts[0] not in kind.methods or parts[2] != "HTTP/1.1":
        return None
    method, target, _ = parts
    path, _, query = target.partition("?")
    if "#" in target or (path != kind.target and not path.startswith(f"{kind.target}/")):
        return None
    headers = read_headers(lines[1:])
    if (
        headers is None
        or b"host" not in headers
        or headers.get(b"connection", b"keep-alive").lower() != b"keep-alive"
    ):
        return None
    length = headers.get(b"content-length", b"0" if method == "DELETE" else b"")
    if not length.isdigit() or len(length) > LENGTH_DIGITS or int(length) > kind.length_max:
        return None
    try:
        given = parameters(query)
    except QueryFault:
        return None
    if path.endswith(kind.not_plain):
        return None
    return Head(
        method,
        path,
        given,
        int(length),
        headers[b"host"].decode(),
        _text(headers.get(b"authorization")),
        tuple(_text(headers.get(name.encode())) for name in kind.headers),
    )


def read_headers(lines: list[bytes]) -> dict[bytes, bytes] | None:
    """Return the headers by lower-case name; None if one is given twice, folded or special."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or not name or name.translate(None, _TOKEN) or name in _NOT_PLAIN or name in headers:
            return None
        headers[name] = value.strip(b" \t")
    return headers


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
