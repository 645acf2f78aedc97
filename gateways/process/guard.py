"""The guard of a door: which requests may be looked at, by host, page, a single key and plain bytes.

Host. A page of a stranger can point its own name at this machine and ask from inside a
browser; the name it then asks for is the stranger's (DNS rebinding). So only the hosts of
the setting `hosts` are served, by default the bound address and the names of loopback. A
door bound to every address takes any number, for no number can be pointed elsewhere.

Origin. Browsers say which page opens a WebSocket or sends a command. By default it is one of
the instance itself; programs say nothing and pass.

Repeated headers. One that decides something is given once: nobody could tell which of two counts.

Fragment. A request target has none (RFC 9112, 3.2): aiohttp drops what stands behind a `#`, and a
command without its filters would reach further than was asked.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from engine.contract import instance
from engine.settings.addresses import (
    ANY,
    DEFAULT_PORTS,
    Address,
    Origin,
    canonical,
    is_loopback,
    is_number,
    is_wildcard,
    read_address,
    read_origin,
)
from engine.settings.config import DoorSettings
from gateways.process.answers import Reply, refusal

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
IDENTITY = "identity"
CHUNKED = "chunked"
CONTINUE = "100-continue"
GIVEN_ONCE = (
    *(hdrs.HOST, hdrs.ORIGIN, hdrs.AUTHORIZATION, "Idempotency-Key", hdrs.CONTENT_TYPE, hdrs.EXPECT),
    *(hdrs.UPGRADE, hdrs.SEC_WEBSOCKET_KEY, hdrs.SEC_WEBSOCKET_VERSION),
    *("Pinion-Account", "Pinion-Deadline-Ms"),
)
"""Headers of which one value decides. Content-Encoding is a list, all of which counts."""
SHOWN_CHARS = 80
NOT_SHOWN = "(not shown)"


class Hosts:
    """The hosts that a door answers for."""

    def __init__(self, bound: str, given: tuple[str, ...]) -> None:
        self._takes_any = ANY in given
        self._takes_numbers = not given and is_wildcard(bound)
        self._given = frozenset(filter(None, map(read_address, given)))
        self._bound = canonical(bound)

    def allow(self, host: Address) -> bool:
        """Tell whether requests for this host are served."""
        if self._takes_any:
            return True
        if self._given:
            ports = DEFAULT_PORTS.values() if host.port is None else (host.port,)
            return any(Address(host.name, port) in self._given for port in (None, *ports))
        if host.name == self._bound or is_loopback(host.name):
            return True
        return self._takes_numbers and is_number(host.name)


class Guard:
    """What every request to a door has to pass.

    section : of the door's settings, for the refusals
    pages_port : returns the port of the door with the instance's pages, None while it is not known
    repeats : whether a refusal may repeat what was sent; not where that may be the number of a card
    """

    def __init__(
        self,
        section: str,
        bound: str,
        hosts: tuple[str, ...],
        origins: tuple[str, ...],
        pages_port: Callable[[], int | None],
        repeats: bool = True,
    ) -> None:
        self._section = section
        self._hosts = Hosts(bound, hosts)
        self._takes_any_origin = ANY in origins
        self._origins = frozenset(filter(None, map(read_origin, origins)))
        self._pages_port = pages_port
        self.repeats = repeats

    def refuse(self, request: web.BaseRequest) -> Reply | None:
        """Return the refusal of a request that may not be looked at, None for all others."""
        return (
            self._ambiguous(request)
            or self._from_elsewhere(request)
            or self._unmet(request)
            or self._encoded(request)
        )

    def _shown(self, text: str) -> str:
        """Return what was sent as a refusal repeats it."""
        return repr(text[:SHOWN_CHARS]) if self.repeats else NOT_SHOWN

    def _from_elsewhere(self, request: web.BaseRequest) -> Reply | None:
        """Refuse a host that this door does not answer for, and a page that may not speak to it."""
        headers = request.headers
        named = _hosts_named(request)
        for text in named:
            if not self.allows_host(text):
                return self._wrong_host(text)
        origin = headers.get(hdrs.ORIGIN)
        if origin is not None and (request.method not in SAFE_METHODS or hdrs.UPGRADE in headers):
            if not self.allows_origin(origin, named[0] if named else ""):
                return self._wrong_origin(origin)
        return None

    def allows_host(self, text: str) -> bool:
        """Tell whether a Host header names this door."""
        host = read_address(text)
        return host is not None and self._hosts.allow(host)

    def allows_origin(self, text: str, host: str) -> bool:
        """Tell whether pages of this origin may speak to the door; host: the one the request names."""
        origin = read_origin(text)
        if self._takes_any_origin:
            return True
        if origin is None or self._origins:
            return origin in self._origins
        if not self._hosts.allow(Address(origin.name, origin.port)):
            return False
        return self._is_same(origin, read_address(host)) or origin.port == self._pages_port()

    @staticmethod
    def _is_same(origin: Origin, host: Address | None) -> bool:
        """Tell whether the page came from the very address that it now speaks to."""
        if host is None:
            return False
        port = DEFAULT_PORTS[origin.scheme] if host.port is None else host.port
        return (origin.name, origin.port) == (host.name, port)

    def _wrong_host(self, text: str) -> Reply:
        detail = (
            f"Host {self._shown(text)}: this door does not answer for it; "
            f"name it in the setting {self._section}.hosts if it should"
        )
        return refusal(HTTPStatus.MISDIRECTED_REQUEST, "unknown_host", detail, "Host")

    def _wrong_origin(self, text: str) -> Reply:
        detail = (
            f"Origin {self._shown(text)}: pages from there may not speak to this door; "
            f"name it in the setting {self._section}.origins if they should"
        )
        return refusal(HTTPStatus.FORBIDDEN, "unknown_origin", detail, "Origin")

    def _ambiguous(self, request: web.BaseRequest) -> Reply | None:
        """Refuse what two readers of the same bytes could understand differently."""
        if request.version.major != 1:
            detail = f"HTTP/{request.version.major}.{request.version.minor}: this door speaks HTTP/1.1"
            return refusal(
                HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "unsupported_version", detail, keep_alive=False
            )
        for name in GIVEN_ONCE:
            if len(request.headers.getall(name, ())) > 1:
                detail = f"{name} is given more than once: send the one that counts"
                return refusal(HTTPStatus.BAD_REQUEST, "malformed", detail, str(name))
        _, sign, fragment = request.raw_path.partition("#")
        if sign:
            shown = self._shown(f"#{fragment}")
            detail = f"{shown} in the request's target: no request has a fragment; write %23 for #"
            return refusal(HTTPStatus.BAD_REQUEST, "malformed", detail)
        return None

    def _unmet(self, request: web.BaseRequest) -> Reply | None:
        """Refuse a request that expects what no door does; HTTP/1.0 knows no expectations."""
        expected = request.headers.get(hdrs.EXPECT, "")
        if not expected or expected.lower() == CONTINUE or request.version.minor == 0:
            return None
        detail = f"Expect {self._shown(expected)}: this door meets {CONTINUE} alone; send that or none"
        return refusal(HTTPStatus.EXPECTATION_FAILED, "expectation_failed", detail, "Expect")

    def _encoded(self, request: web.BaseRequest) -> Reply | None:
        """Refuse a body that is not sent as it is; where its end is in doubt, nothing behind it is read."""
        codings = request.headers.getall(hdrs.TRANSFER_ENCODING, None)
        if codings is not None and ", ".join(codings).lower() != CHUNKED:
            shown = self._shown(", ".join(codings))
            detail = (
                f"Transfer-Encoding {shown}: the one that this door undoes is {CHUNKED}; send that or none"
            )
            return refusal(
                HTTPStatus.NOT_IMPLEMENTED,
                "unsupported_encoding",
                detail,
                "Transfer-Encoding",
                keep_alive=False,
            )
        encoding = ", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, ())).strip()
        if encoding and encoding.lower() != IDENTITY:
            detail = f"Content-Encoding {self._shown(encoding)}: send the body as it is"
            return refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", detail, "Content-Encoding"
            )
        return None


def guard_of(door: DoorSettings, repeats: bool = True) -> Guard:
    """Return the guard of a door, as its settings want it; repeats : as for Guard."""

    def pages_port() -> int | None:
        return door.pages_port or port_of_running(door.pages, door.data_dir)

    return Guard(door.section, door.host, door.hosts, door.origins, pages_port, repeats)


def port_of_running(section: str, data_dir: Path) -> int | None:
    """Return the port that a door was given, where the settings leave it open; None before it serves."""
    try:
        return urlsplit(instance.read(data_dir).doors.get(section, "")).port
    except instance.PortError:
        return None


def _hosts_named(request: web.BaseRequest) -> list[str]:
    """Return the hosts that a request names: in its target, where that has the long form, and its header."""
    named: list[str] = request.headers.getall(hdrs.HOST, [])
    target = request.raw_path
    if not target.startswith(("/", "*")):
        named = [re.split("[/?#]", target.partition("://")[2] or target, maxsplit=1)[0], *named]
    return named
