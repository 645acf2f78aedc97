"""Payments' part of the settings about a fleet: the store that instances share limits through, and how many.

[payments.fleet] is left out where an instance is alone.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from engine.payments.fleet_records import OnStoreDown, Sighted
from engine.settings.sections import ConfigError, Section

Policy = Literal["local", "decline", "allow"]
SCHEMES = ("redis", "rediss", "unix")
FLEET_NAME = re.compile(r"[a-z0-9-]{1,16}")


class FleetLimits(Section, frozen=True, kw_only=True):
    """[payments.fleet.limits]: what holds for one limit while the store is down, if another thing."""

    merchant_daily: Policy | None = None
    device_cards_24h: Policy | None = None
    ip_cards_1h: Policy | None = None
    email_cards_24h: Policy | None = None
    client_rate: Policy | None = None


class FleetSettings(Section, frozen=True, kw_only=True):
    """[payments.fleet]: the instances that share limits."""

    url: str = ""
    """Of a Redis or a Valkey; empty: a private Valkey in the data folder."""
    instances: Annotated[int, Meta(ge=1, le=64)] = 1
    """How many there are; another number counts from the next day of UTC."""
    name: str = "fleet"
    """Whose instances share: two fleets may use one store."""
    on_store_down: Policy = "local"
    limits: FleetLimits = FleetLimits()

    def __post_init__(self) -> None:
        if self.url and (fault := url_fault(self.url)):
            raise ConfigError(
                f"payments.fleet.url = (not shown): {fault}; give redis://HOST:PORT, rediss://HOST:PORT or "
                f'unix:///PATH, or "" for a private store'
            )
        if not FLEET_NAME.fullmatch(self.name):
            raise ConfigError(
                f'payments.fleet.name = {self.name!r}: give 1 to 16 of a-z, 0-9 and -, such as "fleet"'
            )

    @property
    def on_daily(self) -> OnStoreDown:
        """What holds for `merchant_daily` while the store is down."""
        return self._policy(self.limits.merchant_daily)

    @property
    def on_sightings(self) -> tuple[OnStoreDown, ...]:
        """What holds for each limit on distinct cards, in the order of Sighted."""
        said = {
            Sighted.DEVICE: self.limits.device_cards_24h,
            Sighted.IP: self.limits.ip_cards_1h,
            Sighted.EMAIL: self.limits.email_cards_24h,
        }
        return tuple(self._policy(said[each]) for each in Sighted)

    @property
    def on_client_rate(self) -> Policy:
        """What holds for [payments.rate]."""
        return self.limits.client_rate or self.on_store_down

    def _policy(self, said: Policy | None) -> OnStoreDown:
        return OnStoreDown[(said or self.on_store_down).upper()]


def url_fault(url: str) -> str:
    """Return what is wrong with the address of a store, "" for nothing; it may hold a password."""
    try:
        parts = urlsplit(url)
        port_is_there = parts.port is None or parts.port > 0
    except ValueError:
        return "has no port that could be"
    if parts.scheme not in SCHEMES:
        return f"begins with none of {', '.join(f'{each}://' for each in SCHEMES)}"
    if parts.scheme == "unix":
        return "" if parts.path.startswith("/") else "names no path"
    return "" if parts.hostname and port_is_there else "names no host"
