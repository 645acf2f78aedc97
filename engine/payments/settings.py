"""Payments' part of the settings: the instance, its rules, what the state can hold, and whose keys there are.

Limits and order of the rules become a command at the start and live in the engine from then on.
"""

import difflib
import re
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from engine.payments.capacities import Capacities
from engine.payments.fleet_settings import FleetSettings
from engine.payments.records import LIMITS, NOT_GIVEN, RULES, Clock
from engine.settings.config import ConfigError, Count, InstanceSettings, KeySettings, refuse_twice
from engine.settings.door_settings import Port, Seconds, SocketSettings
from engine.settings.sections import Section

_DEFAULT = Capacities()
Off = Literal["off"]
OFF: Off = "off"
Times = Annotated[int, Meta(ge=0, le=1_000_000)] | Off
Cards = Annotated[int, Meta(ge=0, le=31)] | Off
"""Distinct ones: no more are remembered of a device, an address or an e-mail."""
Score = Annotated[int, Meta(ge=0, le=1000)] | Off
Milliseconds = Annotated[int, Meta(ge=0, le=30 * 86_400_000)] | Off
RoleName = Literal["acquirer", "risk", "viewer"]
DEMO_KEY_NAME = "demo"
"""Of the key that an instance without [[keys]] makes."""
ROLE_NAMES: tuple[RoleName, ...] = ("acquirer", "risk", "viewer")
FIRST_RULES, LAST_RULE = RULES[:3], RULES[-1]
"""What every order begins and ends with."""
INSTANCE_NAME = re.compile(r"[a-z0-9]{1,8}")
MERCHANT_NAME = re.compile(r"[A-Za-z0-9._:-]{1,24}")


def _default(name: str) -> int | Off:
    """Return the default of a limit as a file says it."""
    return OFF if LIMITS[name] == NOT_GIVEN else LIMITS[name]


class RuleSettings(Section, frozen=True, kw_only=True):
    """[payments.rules]: the limits of the rules by their names, and the order of the rules."""

    card_1m: Times = _default("card_1m")
    card_1h: Times = _default("card_1h")
    card_declines_1h: Times = _default("card_declines_1h")
    bin_declines_1h: Times = _default("bin_declines_1h")
    device_cards_24h: Cards = _default("device_cards_24h")
    ip_cards_1h: Cards = _default("ip_cards_1h")
    email_cards_24h: Cards = _default("email_cards_24h")
    scheme_retry: Times = _default("scheme_retry")
    double_charge_ms: Milliseconds = _default("double_charge_ms")
    score_decline: Score = _default("score_decline")
    score_review: Score = _default("score_review")
    small_then_large_ms: Milliseconds = _default("small_then_large_ms")
    order: tuple[str, ...] = RULES
    """Names of rules; one that is left out is off."""

    def __post_init__(self) -> None:
        for idx, name in enumerate(self.order):
            setting = f"payments.rules.order[{idx}] = {name!r}"
            if name not in RULES:
                near = difflib.get_close_matches(name, RULES, 1)
                mend = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(RULES)}"
                raise ConfigError(f"{setting}: no such rule; {mend}")
            if name in self.order[:idx]:
                raise ConfigError(f"{setting}: already stands at {self.order.index(name)}; name it once")
        if self.order[:3] != FIRST_RULES:
            raise ConfigError(
                f"payments.rules.order: must begin with {', '.join(FIRST_RULES)}; put them first"
            )
        if self.order[-1] != LAST_RULE:
            raise ConfigError(f"payments.rules.order: must end with {LAST_RULE}; put it last")

    def limits(self) -> dict[str, int]:
        """Return the limits in their order, -1 for one that is off."""
        given = {name: getattr(self, name) for name in LIMITS}
        return {name: NOT_GIVEN if value == OFF else value for name, value in given.items()}


class CapacitySettings(Section, frozen=True, kw_only=True):
    """[payments.capacities]: as Capacities, each within what one machine can hold."""

    accounts: Count = _DEFAULT.accounts
    balances: Count = _DEFAULT.balances
    merchants: Count = _DEFAULT.merchants
    merchant_currencies: Count = _DEFAULT.merchant_currencies
    cards: Count = _DEFAULT.cards
    pairs: Count = _DEFAULT.pairs
    devices: Count = _DEFAULT.devices
    ips: Count = _DEFAULT.ips
    emails: Count = _DEFAULT.emails
    bins: Count = _DEFAULT.bins
    payments: Count = _DEFAULT.payments
    operations: Count = _DEFAULT.operations
    answers: Count = _DEFAULT.answers
    list_entries: Count = _DEFAULT.list_entries

    def sizes(self) -> Capacities:
        """Return them as the kernels' side takes them."""
        return Capacities(**msgspec.structs.asdict(self))


class PeerSettings(Section, frozen=True, kw_only=True):
    """[[payments.iso8583.peers]]: who may send messages from an address, by the name of a key of [[keys]]."""

    address: str
    key: Annotated[str, Meta(min_length=1, max_length=64)]


class Iso8583Section(SocketSettings, frozen=True, kw_only=True):
    """[payments.iso8583]: where messages of ISO 8583 are taken, and whose; none: there is no such door."""

    port: Port = 8583
    idle_timeout_s: Seconds = 600.0
    """How long a connection may rest between two messages."""
    peers: Annotated[tuple[PeerSettings, ...], Meta(min_length=1)]
    section: ClassVar[str] = "payments.iso8583"

    def __post_init__(self) -> None:
        if self.hosts or self.origins:
            name = "hosts" if self.hosts else "origins"
            raise ConfigError(f"{self.section}.{name}: is for doors over HTTP; leave it out, and name peers")
        for idx, peer in enumerate(self.peers):
            if peer_address(peer.address) is None:
                raise ConfigError(
                    f"{self.section}.peers[{idx}].address = {peer.address!r}: no address; give one of "
                    f'version 4 or 6, such as "192.0.2.7"'
                )
        refuse_twice(f"{self.section}.peers", "address", [peer_address(each.address) for each in self.peers])


def peer_address(text: str) -> str | None:
    """Return an address as it is compared, version 4 within 6 as 4; None for what is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


class ForwardSection(Section, frozen=True, kw_only=True):
    """[payments.forward]: the processor that approved payments are sent on to; none: nothing is forwarded."""

    url: Annotated[str, Meta(min_length=1, max_length=512)]
    deadline_ms: Annotated[int, Meta(ge=50, le=60_000)] = 2000
    """How long its answer is waited for; then the payment is PROCESSOR_DOWN, and its reversal owed."""

    def __post_init__(self) -> None:
        said = f"payments.forward.url = {self.url!r}"
        try:
            parts = urlsplit(self.url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_url = False
        if not is_url or parts.query or parts.fragment or parts.username is not None:
            raise ConfigError(
                f'{said}: give http(s)://host[:port][/path], such as "https://processor.example"'
            )
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise ConfigError(
                f"{said}: card numbers would leave this machine as plain text; give https, or a proxy on "
                f"loopback that speaks it"
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class RateSettings(Section, frozen=True, kw_only=True):
    """[payments.rate]: how often a key may ask one door; none: as often as it likes."""

    per_second: Annotated[int, Meta(ge=1, le=1_000_000)]
    burst: Annotated[int, Meta(ge=1, le=1_000_000)]
    """So many at once, after a while without any."""
    log_only: bool = False
    """Refuse nothing, count and log what would be refused."""


class ConcurrencySettings(Section, frozen=True, kw_only=True):
    """[payments.concurrency]: how many requests of a key may be in flight at one door; none: any number."""

    per_key: Annotated[int, Meta(ge=1, le=2**20)]
    log_only: bool = False


class SheddingSettings(Section, frozen=True, kw_only=True):
    """[payments.shedding]: how many requests of all keys may be in flight at one door; none: any number."""

    max_in_flight: Annotated[int, Meta(ge=5, le=2**20)]
    """A fifth of them is kept for captures, voids and refunds."""
    log_only: bool = False


class PaymentSection(SocketSettings, frozen=True, kw_only=True):
    """[payments]: where payments are asked for, and by which instance they are decided."""

    port: Port = 8002
    instance: str = "a"
    """Its name, which is the beginning of every payment's id; fixed for a data folder."""
    clock: Literal["engine", "request"] = "engine"
    """Where time comes from: the engine's clock, or what requests say; fixed for a data folder."""
    hash_key_file: str = ""
    """The key of the hashes of cards, devices and the like; empty: hash.key in the data folder."""
    rules: RuleSettings = RuleSettings()
    capacities: CapacitySettings = CapacitySettings()
    iso8583: Iso8583Section | None = None
    forward: ForwardSection | None = None
    fleet: FleetSettings | None = None
    rate: RateSettings | None = None
    concurrency: ConcurrencySettings | None = None
    shedding: SheddingSettings | None = None
    section: ClassVar[str] = "payments"

    def __post_init__(self) -> None:
        SocketSettings.__post_init__(self)
        if not INSTANCE_NAME.fullmatch(self.instance):
            raise ConfigError(
                f'payments.instance = {self.instance!r}: give 1 to 8 of a-z and 0-9, such as "a"'
            )
        if self.forward is not None and self.clock != "engine":
            raise ConfigError(
                f"payments.forward: does not go with payments.clock = {self.clock!r}, for an answer is late "
                f'by the engine\'s clock; give clock = "engine", or leave payments.forward out'
            )

    @property
    def clock_number(self) -> Clock:
        """The clock as records have it."""
        return Clock[self.clock.upper()]


class ApiSettings(SocketSettings, frozen=True, kw_only=True):
    """[api]: where queries are answered; port 0 = any free one."""

    port: Port = 8003
    section: ClassVar[str] = "api"


class PaymentsKeySettings(KeySettings, frozen=True, kw_only=True):
    """[[keys]], with the roles of payments and the merchants whose payments are asked for."""

    roles: Annotated[tuple[RoleName, ...], Meta(min_length=1)] = ("acquirer",)
    merchants: tuple[str, ...] | Literal["all"] = "all"

    @property
    def scope(self) -> tuple[str, ...] | None:
        """The merchants that the key is for; None: for all."""
        return None if self.merchants == "all" else self.merchants

    def __post_init__(self) -> None:
        if self.accounts:
            raise ConfigError(
                f"keys ({self.name}).accounts: a key of payments is for merchants; give merchants"
            )
        for idx, name in enumerate(self.merchants if self.merchants != "all" else ()):
            if not MERCHANT_NAME.fullmatch(name):
                raise ConfigError(
                    f"keys ({self.name}).merchants[{idx}] = {name!r}: no name of a merchant; give 1 to 24 of "
                    f"A-Z, a-z, 0-9 and . _ : -"
                )


class PaymentsSettings(InstanceSettings, frozen=True, kw_only=True):
    """The whole file of a payments instance."""

    payments: PaymentSection = PaymentSection()
    api: ApiSettings = ApiSettings()
    keys: tuple[PaymentsKeySettings, ...] = ()
    capacities_at: ClassVar[str] = "payments.capacities"

    def __post_init__(self) -> None:
        InstanceSettings.__post_init__(self)
        door = self.payments.iso8583
        names = [key.name for key in self.keys] or [DEMO_KEY_NAME]
        for idx, peer in enumerate(door.peers if door else ()):
            if peer.key not in names:
                raise ConfigError(
                    f"payments.iso8583.peers[{idx}].key = {peer.key!r}: no key has this name; there are "
                    f"{', '.join(map(repr, names))}"
                )
