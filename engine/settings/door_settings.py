"""Settings of doors: where one listens, whom it answers, what one client may take.

[doors] holds the limits that are the same for all. A section about one door is a SocketSettings; the
application adds it that has the door.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from engine.contract.errors import ToldError
from engine.settings.addresses import ANY, read_address, read_origin
from engine.settings.sections import ConfigError, Section


class DoorError(ToldError):
    """A door cannot serve with these settings; the text names setting, value and mend."""


Port = Annotated[int, Meta(ge=0, le=65535)]
Connections = Annotated[int, Meta(ge=1, le=2**20)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class DoorLimits(Section, frozen=True, kw_only=True):
    """[doors]: what clients may take of a door, the same for each."""

    connections: Connections = 2**14
    """At a time; fewer where the limit of open files allows fewer."""
    keyless_connections: Connections = 2**12
    """Of these, such as have shown no key yet, at most half of all: the oldest gives way to a new one."""
    keyless_connections_per_address: Connections = 64
    """The same from one address; loopback is apart, for a proxy is one address."""
    keyless_streams: Connections = 64
    """WebSockets that have named no key yet."""
    keyless_streams_per_address: Connections = 8
    key_timeout_s: Seconds = 10.0
    """How long a WebSocket may be without its key."""
    head_timeout_s: Seconds = 10.0
    """How long the head of a request may take from its first byte on."""
    body_timeout_s: Seconds = 10.0
    idle_timeout_s: Seconds = 75.0
    """How long a connection may rest between two requests."""
    unread_timeout_s: Seconds = 30.0
    """How long a client may leave unread what it was sent."""


class SocketSettings(Section, frozen=True, kw_only=True):
    """Where a door listens, for which hosts it answers, and which pages may speak to it."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 0
    hosts: tuple[str, ...] = ()
    """`name`, `name:port` or "*"; none: the bound address and the names of loopback."""
    origins: tuple[str, ...] = ()
    """`https://name[:port]` or "*"; none: the pages of the instance itself."""
    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for idx, text in enumerate(self.hosts):
            if text != ANY and read_address(text) is None:
                raise ConfigError(
                    f"{self.section}.hosts[{idx}] = {text!r}: no host; give a name or an address, with its "
                    f'port where only that is meant, such as "pinion.example.com:8443", or "*" for any'
                )
        for idx, text in enumerate(self.origins):
            if text != ANY and read_origin(text) is None:
                raise ConfigError(
                    f"{self.section}.origins[{idx}] = {text!r}: no origin; give scheme, host and port as a "
                    f'browser sends them, such as "https://desk.example.com", or "*" for any'
                )
