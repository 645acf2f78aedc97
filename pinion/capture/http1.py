"""HTTP/1.1 as a proxy needs it, without any socket: heads in, what to pass on out, bodies cut from a stream.

It is strict where two readers could differ about where a message ends (RFC 9112, 11.2): a length and chunks
at once, two lengths, folded headers, a bare line feed are refused. Headers that are meant for one connection
alone are not passed on (RFC 9110, 7.6.1); all others are, byte for byte and in their order.
"""

import re
from typing import NamedTuple

HEAD_MAX = 1 << 16
HEAD_END = b"\r\n\r\n"
LINE_MAX = 4096
"""Of the line before a chunk."""
OF_ONE_CONNECTION = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding"),
        *(b"upgrade", b"proxy-authenticate", b"proxy-authorization", b"expect"),
    )
)
NO_BODY = frozenset((204, 304))
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/(1\.[01])").fullmatch
_RESPONSE = re.compile(rb"HTTP/(1\.[01]) ([1-5][0-9]{2})(?: ([^\r\n\0]*))?").fullmatch
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)").fullmatch
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE).match
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?").fullmatch
_LENGTH = re.compile(rb"[0-9]{1,15}").fullmatch


class MessageError(ValueError):
    """A message is not one that can be passed on.

    status : what its sender is answered, where that is a client
    """

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status


class HeaderField(NamedTuple):
    """A header."""

    name: bytes
    """In small letters."""
    value: bytes
    line: bytes
    """As it was sent."""


class Request(NamedTuple):
    """The head of a request."""

    method: str
    target: str
    """Path and query, or `*`."""
    is_1_1: bool
    fields: list[HeaderField]


class Response(NamedTuple):
    """The head of a response."""

    status: int
    reason: bytes
    is_1_1: bool
    fields: list[HeaderField]


def read_request(head: bytes) -> Request:
    """Read the head of a request, without its empty line."""
    first, *lines = head.split(b"\r\n")
    found = _REQUEST(first)
    if found is None:
        raise MessageError(400, "the first line is none of HTTP/1.0 or HTTP/1.1")
    target = found[2].decode()
    absolute = _ABSOLUTE(target)
    if absolute:
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if target != "*" and not target.startswith("/"):
        raise MessageError(400, "the target is no path")
    fields = _fields(lines)
    if found[3] == b"1.1" and sum(each.name == b"host" for each in fields) != 1:
        raise MessageError(400, "there is not one Host")
    return Request(found[1].decode(), target, found[3] == b"1.1", fields)


def read_response(head: bytes) -> Response:
    """Read the head of a response, without its empty line."""
    first, *lines = head.split(b"\r\n")
    found = _RESPONSE(first)
    if found is None:
        raise MessageError(502, "the first line is none of HTTP/1.0 or HTTP/1.1")
    return Response(int(found[2]), found[3] or b"", found[1] == b"1.1", _fields(lines))


def _fields(lines: list[bytes]) -> list[HeaderField]:
    fields = []
    for line in lines:
        found = _FIELD(line)
        if found is None:
            raise MessageError(400, "a header is malformed")
        fields.append(HeaderField(found[1].lower(), found[2].rstrip(b" \t"), line))
    return fields


def value_of(fields: list[HeaderField], name: bytes) -> bytes:
    """Return the value of a header, all of them where it is there more than once; empty where it is not."""
    return b", ".join([each.value for each in fields if each.name == name])


def words_of(fields: list[HeaderField], name: bytes) -> list[bytes]:
    """Return the words of a list in a header, in small letters."""
    value = value_of(fields, name)
    return [word.strip(b" \t").lower() for word in value.split(b",")] if value else []


def passed_on(fields: list[HeaderField], *without: bytes) -> list[bytes]:
    """Return the lines of the headers that are passed on.

    without : further ones that are not
    """
    named = words_of(fields, b"connection")
    return [
        each.line
        for each in fields
        if each.name not in OF_ONE_CONNECTION and each.name not in named and each.name not in without
    ]


def stays_open(is_1_1: bool, fields: list[HeaderField]) -> bool:
    """Tell whether the connection stays open behind this message."""
    words = words_of(fields, b"connection")
    return b"close" not in words and (is_1_1 or b"keep-alive" in words)


class BodyFrames:
    """Cuts one body out of a stream of bytes, however these come.

    length : bytes of the body; CHUNKED, or UNTIL_CLOSE
    """

    CHUNKED, UNTIL_CLOSE = -1, -2

    def __init__(self, length: int) -> None:
        self.length = length
        self.is_whole = length == 0
        self._left = max(length, 0)
        self._held = b""
        self._is_behind_chunk = self._is_behind_last = False

    def taken(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what of the data belongs to the body, without the marks of chunks, and what follows it."""
        if self.length == self.UNTIL_CLOSE:
            return data, b""
        if self.length == self.CHUNKED:
            return self._from_chunks(self._held + data)
        content = data[: self._left]
        self._left -= len(content)
        self.is_whole = not self._left
        return content, data[len(content) :]

    def end(self) -> None:
        """Take note that nothing more comes; MessageError where something is missing."""
        if self.length != self.UNTIL_CLOSE and not self.is_whole:
            raise MessageError(502, "the connection ended within a message")
        self.is_whole = True

    def _from_chunks(self, data: bytes) -> tuple[bytes, bytes]:
        parts: list[bytes] = []
        at = 0
        while not self.is_whole:
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                self._left -= len(part)
                at += len(part)
                self._is_behind_chunk = not self._left
                if self._left:
                    break
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            self._line(data[at:end])
            at = end + 2
        self._held = b"" if self.is_whole else data[at:]
        if len(self._held) > LINE_MAX:
            raise MessageError(400, "the line before a chunk is too long")
        return b"".join(parts), data[at:] if self.is_whole else b""

    def _line(self, line: bytes) -> None:
        """Take note of a line between chunks."""
        if self._is_behind_chunk:
            if line:
                raise MessageError(400, "a chunk is longer than it says")
            self._is_behind_chunk = False
        elif self._is_behind_last:
            self.is_whole = not line  # what stands before the empty line are trailers, which are dropped
        else:
            found = _CHUNK(line)
            if found is None:
                raise MessageError(400, "the line before a chunk is malformed")
            self._left = int(found[1], 16)
            self._is_behind_last = not self._left


def body_of_request(request: Request) -> BodyFrames:
    """Return how the body of a request is cut out."""
    codings = words_of(request.fields, b"transfer-encoding")
    lengths = [each.value for each in request.fields if each.name == b"content-length"]
    if codings and (lengths or not request.is_1_1):
        raise MessageError(400, "Transfer-Encoding does not go with the rest")
    if codings and codings != [b"chunked"]:
        raise MessageError(501, "of Transfer-Encoding only chunked is known")
    if codings:
        return BodyFrames(BodyFrames.CHUNKED)
    return BodyFrames(_length(lengths, 400) if lengths else 0)


def body_of_response(response: Response, method: str) -> BodyFrames:
    """Return how the body of a response is cut out.

    method : of its request
    """
    if method == "HEAD" or response.status in NO_BODY or response.status < 200:
        return BodyFrames(0)
    codings = words_of(response.fields, b"transfer-encoding")
    lengths = [each.value for each in response.fields if each.name == b"content-length"]
    if codings and codings != [b"chunked"]:
        raise MessageError(502, "of Transfer-Encoding only chunked is known")
    if codings:
        return BodyFrames(BodyFrames.CHUNKED)
    return BodyFrames(_length(lengths, 502) if lengths else BodyFrames.UNTIL_CLOSE)


def _length(values: list[bytes], status: int) -> int:
    if len(values) != 1 or not _LENGTH(values[0]):
        raise MessageError(status, "Content-Length is there twice, or is no number")
    return int(values[0])


def chunk_of(part: bytes) -> bytes:
    """Return a part of a body, which is not empty, as a chunk."""
    return b"%x\r\n%b\r\n" % (len(part), part)


LAST_CHUNK = b"0\r\n\r\n"
