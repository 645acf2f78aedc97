"""Trading's part of the settings: what the state can hold, and what is defined at the start.

Currencies, rates, instruments, accounts and limits carry the field names of the JSON-lines commands
(interface R2): at the start they become commands and live in the engine from then on.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, field

from engine.settings.config import (
    ConfigError,
    Count,
    EngineSettings,
    InstanceSettings,
    KeySettings,
    refuse_twice,
)
from engine.settings.door_settings import Port, SocketSettings
from engine.settings.sections import Section
from engine.trading.capacities import Capacities

_DEFAULT = Capacities()
RoleName = Literal["trader", "operator", "viewer"]


WINDOW_OF_LIMIT = {"fill_window_ms": "max_fill_rate", "order_trade_window_ms": "max_order_trade_ratio"}
"""Length of a window -> the limit that is measured in it."""


class CapacitySettings(Section, frozen=True, kw_only=True):
    """[engine.capacities]: as Capacities, each within what one machine can hold."""

    later: ClassVar[tuple[str, ...]] = ("groups",)
    """Those that journals had not always: where a journal does not name one, it is the default."""

    orders: Count = _DEFAULT.orders
    instruments: Annotated[int, Meta(ge=1, le=2**20)] = _DEFAULT.instruments
    accounts: Annotated[int, Meta(ge=1, le=2**20)] = _DEFAULT.accounts
    currencies: Annotated[int, Meta(ge=1, le=127)] = _DEFAULT.currencies
    positions: Count = _DEFAULT.positions
    client_ids: Count = _DEFAULT.client_ids
    groups: Annotated[int, Meta(ge=1, le=2**20)] = _DEFAULT.groups

    def sizes(self) -> Capacities:
        """Return them as the kernels' side takes them."""
        return Capacities(**msgspec.structs.asdict(self))


class TradingEngineSettings(EngineSettings, frozen=True, kw_only=True):
    """[engine], with the capacities of the trading state."""

    capacities: CapacitySettings = CapacitySettings()


class CurrencySettings(Section, frozen=True, kw_only=True):
    """[[currencies]]: as the `currency` command."""

    currency: Annotated[str, Meta(min_length=1, max_length=24)]
    decimals: Annotated[int, Meta(ge=0, le=18)] = 6


class RateSettings(Section, frozen=True, kw_only=True):
    """[[rates]]: as the `rate` command: what one of a currency is in another."""

    currency: str
    into: str = field(name="in")
    price: str | int


class InstrumentSettings(Section, frozen=True, kw_only=True):
    """[[instruments]]: as the `instrument` command; decimals are strings, such as "0.01"."""

    symbol: Annotated[str, Meta(min_length=1, max_length=16)]
    base: str
    quote: str
    tick_size: str | int
    lot_size: str | int
    max_price: str | int | None = None
    max_quantity: str | int | None = None
    max_notional: str | int | None = None
    band_low: str | int | None = None
    band_high: str | int | None = None
    collar_bps: Annotated[int, Meta(ge=0)] | None = None
    protect_ticks: Annotated[int, Meta(ge=0)] | None = None
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 0
    initial_margin_ppm: int | None = None
    maintenance_margin_ppm: int | None = None


class AccountSettings(Section, frozen=True, kw_only=True):
    """[[accounts]]: as the `account` command."""

    account: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    deposit: dict[str, str | int] = field(default_factory=dict)
    unlimited: bool = False
    funding: Literal["cash", "margin"] | None = None
    reporting_currency: str | None = None


class GroupSettings(Section, frozen=True, kw_only=True):
    """[[groups]]: as the `group` command; of any number of accounts."""

    group: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    accounts: tuple[Annotated[int, Meta(ge=1, le=2**63 - 1)], ...]


class RuleSettings(Section, frozen=True, kw_only=True):
    """[rules]: files of rules that people write, which make one set (docs/trading-rules.md)."""

    files: tuple[str, ...] = ()


class LimitSettings(Section, frozen=True, kw_only=True):
    """[[limits]]: as the `limits` command, of an account, a group, an instrument, or every account's default.

    Of an instrument it has max_open_orders alone; its other limits stand in [[instruments]].
    """

    account: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    group: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    symbol: str | None = None
    max_open_orders: int | None = None
    max_position: str | int | None = None
    order_rate: int | None = None
    order_burst: int | None = None
    max_daily_loss: str | int | None = None
    max_drawdown: str | int | None = None
    max_drawdown_bps: int | None = None
    max_gross_exposure: str | int | None = None
    max_concentration_ppm: int | None = None
    modify_rate: int | None = None
    modify_burst: int | None = None
    max_fill_rate: str | int | None = None
    fill_window_ms: int | None = None
    max_order_trade_ratio: int | None = None
    order_trade_window_ms: int | None = None
    on_breach: str | None = None

    @property
    def named(self) -> dict[str, str | int]:
        """The limits that it names."""
        fields = msgspec.structs.asdict(self)
        return {
            name: value
            for name, value in fields.items()
            if value is not None and name not in ("account", "group", "symbol", "on_breach")
        }


class ApiSettings(SocketSettings, frozen=True, kw_only=True):
    """[api]: where queries and streams are answered; port 0 = any free one."""

    port: Port = 8000
    section: ClassVar[str] = "api"


class OrderSettings(SocketSettings, frozen=True, kw_only=True):
    """[orders]: where orders are entered; port 0 = any free one."""

    port: Port = 8001
    section: ClassVar[str] = "orders"


class TradingKeySettings(KeySettings, frozen=True, kw_only=True):
    """[[keys]], with the roles of trading."""

    roles: Annotated[tuple[RoleName, ...], Meta(min_length=1)] = ("trader",)


def refuse_two_groups(groups: tuple[GroupSettings, ...]) -> None:
    """Raise ConfigError where an account is named twice: it is in one group at most."""
    found: dict[int, int] = {}
    for idx, each in enumerate(groups):
        for account in each.accounts:
            if account in found:
                raise ConfigError(
                    f"groups[{idx}].accounts: account {account} stands in groups[{found[account]}].accounts "
                    "already; an account is in one group at most"
                )
            found[account] = idx


class TradingSettings(InstanceSettings, frozen=True, kw_only=True):
    """The whole file of a trading instance."""

    engine: TradingEngineSettings = TradingEngineSettings()
    api: ApiSettings = ApiSettings()
    orders: OrderSettings = OrderSettings()
    currencies: tuple[CurrencySettings, ...] = ()
    rates: tuple[RateSettings, ...] = ()
    instruments: tuple[InstrumentSettings, ...] = ()
    accounts: tuple[AccountSettings, ...] = ()
    groups: tuple[GroupSettings, ...] = ()
    rules: RuleSettings = RuleSettings()
    limits: tuple[LimitSettings, ...] = ()
    keys: tuple[TradingKeySettings, ...] = ()

    def __post_init__(self) -> None:
        InstanceSettings.__post_init__(self)
        refuse_twice("currencies", "currency", [each.currency for each in self.currencies])
        refuse_twice("instruments", "symbol", [each.symbol for each in self.instruments])
        refuse_twice("accounts", "account", [each.account for each in self.accounts])
        refuse_twice("groups", "group", [each.group for each in self.groups])
        refuse_two_groups(self.groups)
        refuse_twice("rates", "currency, in", [(each.currency, each.into) for each in self.rates])
        _check_limits(self.limits)


def _check_limits(limits: Sequence[LimitSettings]) -> None:
    """Raise ConfigError where a row limits nothing, or what another one does, or has a window of no limit."""
    seen: dict[tuple[int | None, int | None, str | None, str], int] = {}
    for idx, each in enumerate(limits):
        if not each.named:
            raise ConfigError(f"limits[{idx}]: limits nothing; give a limit, such as max_daily_loss")
        for name, value in each.named.items():
            given = f"limits[{idx}].{name} = {value!r}"
            earlier = seen.setdefault((each.account, each.group, each.symbol, name), idx)
            if earlier != idx:
                raise ConfigError(f"{given}: given by limits[{earlier}] already; give it once")
            limit = WINDOW_OF_LIMIT.get(name, name)
            if limit not in each.named:
                raise ConfigError(f"{given}: is the window of {limit}; give both in one [[limits]]")
