"""Settings of forwarding: off unless they are there, safe where they are, and refused with a mend."""

import pytest

from engine.payments.settings import ForwardSection, PaymentsSettings
from engine.settings.config import ConfigError, parse

KEY = "[[keys]]\nname = 'shop'\ntoken = 'a-token-of-some-length'\n"
PEER = "[payments.iso8583]\n[[payments.iso8583.peers]]\naddress = '192.0.2.7'\nkey = 'shop'\n"


def section_of(text: str) -> ForwardSection | None:
    """Return the section that a file has."""
    return parse(text.encode(), PaymentsSettings).payments.forward


def forward(url: str, more: str = "") -> str:
    """Return a file with such a section."""
    return f'[payments.forward]\nurl = "{url}"\n{more}\n'


def test_nothing_is_forwarded_where_nothing_is_said() -> None:
    assert section_of("") is None
    assert section_of("[payments]\nport = 0\n") is None


@pytest.mark.parametrize(
    "url",
    [
        *("https://processor.example", "https://processor.example:8443/v1/pinion/", "http://127.0.0.1:8009"),
        *("http://localhost:1", "http://[::1]:8009/x", "http://127.7.7.7"),
    ],
)
def test_a_processor_is_reached_by_tls_or_on_this_machine(url: str) -> None:
    section = section_of(forward(url, "deadline_ms = 700"))
    assert section is not None
    assert (section.url, section.deadline_ms) == (url, 700)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (forward("http://processor.example"), "card numbers would leave this machine as plain text"),
        (forward("http://192.0.2.1:80/x"), "give https, or a proxy on loopback that speaks it"),
        (forward("http://localhost.example"), "payments.forward.url = 'http://localhost.example'"),
        (forward("processor.example"), "give http(s)://host[:port][/path]"),
        (forward("ftp://processor.example"), "give http(s)://host[:port][/path]"),
        (forward("https://"), "give http(s)://host[:port][/path]"),
        (forward("https://processor.example:99999"), "give http(s)://host[:port][/path]"),
        (forward("https://u:p@processor.example"), "give http(s)://host[:port][/path]"),
        (forward("https://processor.example/?key=1"), "give http(s)://host[:port][/path]"),
        (forward(""), "payments.forward.url = ''"),
        ("[payments.forward]\ndeadline_ms = 500\n", "payments.forward"),
        (forward("https://p.example", "deadline_ms = 49"), "payments.forward.deadline_ms = 49"),
        (forward("https://p.example", "deadline_ms = 60001"), "payments.forward.deadline_ms = 60001"),
        (forward("https://p.example", "deadline = 50"), "did you mean 'deadline_ms'?"),
        ("[payments]\nclock = 'request'\n" + forward("https://p.example"), "payments.clock = 'request'"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text.encode(), PaymentsSettings)
    assert said in str(refused.value)
