"""HTTP/1.1 as the proxy reads it: whole however the bytes come, and refused where two could differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinion.capture import http1
from pinion.capture.http1 import BodyFrames, MessageError

HEAD = b"POST /v1/payments?a=1 HTTP/1.1\r\nHost: shop\r\nX-Kept:  a b \r\n"

bodies = st.lists(st.binary(min_size=1, max_size=40), max_size=5)


def chunks_of(parts: list[bytes], trailer: bytes = b"") -> bytes:
    """Return a body in chunks."""
    return b"".join(map(http1.chunk_of, parts)) + b"0\r\n" + trailer + b"\r\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return bytes in pieces."""
    ends = sorted({each % (len(data) + 1) for each in places})
    return [data[begin:end] for begin, end in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(bodies, st.lists(st.integers(0, 10**6), max_size=8), st.booleans())
def test_a_body_in_chunks_is_the_same_however_its_bytes_come(
    parts: list[bytes], places: list[int], has_trailer: bool
) -> None:
    frames = BodyFrames(BodyFrames.CHUNKED)
    content = rest = b""

    for piece in cut(chunks_of(parts, b"X: y\r\n" if has_trailer else b"") + b"NEXT", places):
        if frames.is_whole:
            rest += piece
            continue
        taken, rest = frames.taken(piece)
        content += taken

    assert frames.is_whole
    assert content == b"".join(parts)
    assert rest == b"NEXT"


@given(st.binary(max_size=50), st.lists(st.integers(0, 10**6), max_size=5))
def test_a_body_of_a_length_ends_there(body: bytes, places: list[int]) -> None:
    frames = BodyFrames(len(body))
    content = rest = b""

    for piece in cut(body + b"NEXT", places):
        taken, left = frames.taken(piece)
        content, rest = content + taken, rest + left

    assert (content, rest, frames.is_whole) == (body, b"NEXT", True)


@pytest.mark.parametrize("data", [b"x\r\n", b"\r\n", b"-1\r\n", b"1\r\nab\r\n", b"1;\n\r\n", b"f" * 5000])
def test_wrong_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        BodyFrames(BodyFrames.CHUNKED).taken(data)


def test_a_body_that_ends_too_early_is_told_from_one_that_ends_with_its_connection() -> None:
    until_close, short = BodyFrames(BodyFrames.UNTIL_CLOSE), BodyFrames(3)
    assert until_close.taken(b"ab") == (b"ab", b"")
    short.taken(b"ab")

    until_close.end()
    with pytest.raises(MessageError):
        short.end()

    assert until_close.is_whole


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /\r\nHost: a", 400),
        (b"GET / HTTP/2.0\r\nHost: a", 400),
        (b"GET  / HTTP/1.1\r\nHost: a", 400),
        (b"GET x HTTP/1.1\r\nHost: a", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a", 400),
        (b"GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX : y", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: w", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: w", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \0", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501),
    ],
)
def test_a_request_that_two_readers_could_take_differently_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(MessageError) as refused:
        http1.body_of_request(http1.read_request(head))

    assert refused.value.status == status


def test_a_request_is_read_and_its_headers_kept_as_they_were_sent() -> None:
    request = http1.read_request(HEAD + b"Connection: keep-alive, X-Own\r\nx-own: 1\r\nContent-Length: 2")

    assert request[:3] == ("POST", "/v1/payments?a=1", True)
    assert http1.body_of_request(request).length == 2
    assert http1.passed_on(request.fields, b"host") == [b"X-Kept:  a b ", b"Content-Length: 2"]


@pytest.mark.parametrize(
    ("target", "read"),
    [
        (b"http://shop:80/a?b", "/a?b"),
        (b"HTTP://shop", "/"),
        (b"http://shop?b", "/?b"),
        (b"*", "*"),
        (b"//a", "//a"),
    ],
)
def test_a_target_is_read_as_a_path(target: bytes, read: str) -> None:
    assert http1.read_request(b"GET " + target + b" HTTP/1.1\r\nHost: a").target == read


@pytest.mark.parametrize(
    ("head", "method", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", "GET", 5),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", "HEAD", 0),
        (b"HTTP/1.1 204 No Content", "GET", 0),
        (b"HTTP/1.1 304 \r\nContent-Length: 5", "GET", 0),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked", "GET", BodyFrames.CHUNKED),
        (b"HTTP/1.0 200 OK", "GET", BodyFrames.UNTIL_CLOSE),
    ],
)
def test_a_response_says_how_its_body_ends(head: bytes, method: str, length: int) -> None:
    assert http1.body_of_response(http1.read_response(head), method).length == length


@pytest.mark.parametrize(
    "head",
    [
        b"ICY 200 OK",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 200 OK\r\nContent-Length: x",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip",
    ],
)
def test_a_response_that_cannot_be_passed_on_is_refused(head: bytes) -> None:
    with pytest.raises(MessageError):
        http1.body_of_response(http1.read_response(head), "GET")


@pytest.mark.parametrize(
    ("is_1_1", "connection", "stays"),
    [(True, b"", True), (True, b"Close", False), (False, b"", False), (False, b"Keep-Alive", True)],
)
def test_a_connection_stays_open_as_its_version_has_it(is_1_1: bool, connection: bytes, stays: bool) -> None:
    fields = http1.read_response(b"HTTP/1.1 200 OK\r\nConnection: " + connection).fields

    assert http1.stays_open(is_1_1, fields) is stays
