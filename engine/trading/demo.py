"""The demo: the configuration that serves without a file: three instruments, ten funded accounts, one key."""

from engine.trading.settings import (
    AccountSettings,
    CurrencySettings,
    InstrumentSettings,
    TradingKeySettings,
    TradingSettings,
)

DEMO_DEPOSIT = "100000000"
DEMO_ACCOUNT_COUNT = 10


def demo(token: str = "") -> TradingSettings:
    """Return the built-in configuration: three instruments, ten funded accounts, one key.

    token : empty where it is not known yet: there is no key then
    """
    currencies = ("USD", "BTC", "ETH", "AAPL")
    return TradingSettings(
        keys=demo_keys(token) if token else (),
        currencies=tuple(CurrencySettings(currency=code) for code in currencies),
        instruments=(
            _demo_instrument("BTC-USD", "BTC", "0.0001"),
            _demo_instrument("ETH-USD", "ETH", "0.001"),
            _demo_instrument("AAPL", "AAPL", "1"),
        ),
        accounts=tuple(
            AccountSettings(account=number, deposit=dict.fromkeys(currencies, DEMO_DEPOSIT))
            for number in range(1, DEMO_ACCOUNT_COUNT + 1)
        ),
    )


def demo_keys(token: str) -> tuple[TradingKeySettings, ...]:
    """Return the one key of the demo."""
    return (
        TradingKeySettings(name="demo", token=token, accounts="all", roles=("trader", "operator", "viewer")),
    )


def _demo_instrument(symbol: str, base: str, lot_size: str) -> InstrumentSettings:
    return InstrumentSettings(
        symbol=symbol, base=base, quote="USD", tick_size="0.01", lot_size=lot_size, protect_ticks=500
    )
