"""Host names and origins as HTTP writes them, in one spelling: small letters, no dot at the end.

Settings are checked with these functions, and the doors compare what a request says with what
the settings allow. A value that no browser would send is None.
"""

import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

ANY = "*"
NAME_CHARS_MAX = 253
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/?#]+)(?::([0-9]{0,5}))?")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """A host, as name or as number, and the port where one is given."""

    name: str
    port: int | None


class Origin(NamedTuple):
    """Where a page came from; its port is always known."""

    scheme: str
    name: str
    port: int


def read_address(text: str) -> Address | None:
    """Return what `host`, `host:port` or `[v6]:port` says, None where it is none of them."""
    number = number_of(text)
    if number is not None:
        return Address(number, None)
    found = _AUTHORITY.fullmatch(text.lower())
    if found is None:
        return None
    name = canonical(found[1])
    port = int(found[2]) if found[2] else None
    if name is None or (port is not None and port > 65535):
        return None
    return Address(name, port)


def read_origin(text: str) -> Origin | None:
    """Return what `scheme://host[:port]` says, None where it is none, as `null` is."""
    scheme, mark, rest = text.lower().partition("://")
    address = read_address(rest) if mark and scheme in DEFAULT_PORTS else None
    if address is None:
        return None
    port = DEFAULT_PORTS[scheme] if address.port is None else address.port
    return Origin(scheme, address.name, port)


def canonical(host: str) -> str | None:
    """Return a host in its one spelling: numbers as `ipaddress` writes them, v6 without brackets."""
    number = number_of(host.removeprefix("[").removesuffix("]"))
    if number is not None:
        return number
    name = host.lower().removesuffix(".")
    if host.startswith("[") or len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
        return None
    return name


def number_of(host: str) -> str | None:
    """Return an IP address in its one spelling, one of v4 inside v6 as v4; None where it is a name."""
    try:
        number = ip_address(host)
    except ValueError:
        return None
    inner = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return str(inner or number)


def is_number(name: str) -> bool:
    """Tell whether a host is an IP address: only a name can be pointed elsewhere."""
    return number_of(name) is not None


def is_loopback(name: str) -> bool:
    """Tell whether a host is this machine itself, by name or number."""
    number = number_of(name)
    return name == "localhost" if number is None else ip_address(number).is_loopback


def is_wildcard(name: str) -> bool:
    """Tell whether an address to bind means every address of the machine."""
    number = number_of(name)
    return number is not None and ip_address(number).is_unspecified
