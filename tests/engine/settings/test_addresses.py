"""One spelling for hosts and origins."""

from typing import Any

import pytest

from engine.settings.addresses import Address, Origin, read_address, read_origin


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", None)),
        ("LocalHost.:8000", Address("localhost", 8000)),
        ("localhost:", Address("localhost", None)),
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("[::1]", Address("::1", None)),
        ("[0:0::0001]:8001", Address("::1", 8001)),
        ("::1", Address("::1", None)),
        ("[::FFFF:127.0.0.1]:1", Address("127.0.0.1", 1)),
        ("xn--bcher-kva.example", Address("xn--bcher-kva.example", None)),
        ("my_box.lan:65535", Address("my_box.lan", 65535)),
        *((text, None) for text in ("", ":80", "a:b", "a:65536", "a:123456", "a:-1", "a b", "a/b", "u@a")),
        *(
            (text, None)
            for text in ("a..b", ".a", "-a", "a,b", "[::1", "::1]", "[a]", "[::1]x", "a:1:2", "*")
        ),
        *((text, None) for text in ("a" * 300, "bücher.example", "a\n", "a..", "[::1%eth0]")),
    ],
)
def test_addresses(text: Any, address: Any) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:8000", Origin("http", "localhost", 8000)),
        ("HTTP://LOCALHOST", Origin("http", "localhost", 80)),
        ("https://desk.example.com", Origin("https", "desk.example.com", 443)),
        ("https://[::1]:8443", Origin("https", "::1", 8443)),
        *(
            (text, None)
            for text in ("null", "", "file://", "http://", "//a", "ftp://a", "http://a/", "http://a/b")
        ),
        *((text, None) for text in ("http://u@a", "http://a?b", "a", "localhost:8000", "http://a http://b")),
    ],
)
def test_origins(text: Any, origin: Any) -> None:
    assert read_origin(text) == origin
