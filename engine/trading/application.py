"""The trading application as the runtime takes it."""

from engine.contract.application import Application
from engine.trading.capacities import Capacities
from engine.trading.digest import digest, first_difference
from engine.trading.history.projection import TradingProjection
from engine.trading.kernels.apply import apply, next_due
from engine.trading.kernels.convert import convert
from engine.trading.kernels.prepare import prepare
from engine.trading.kernels.state import state_dtype


def trading(capacities: Capacities) -> Application:
    """Return the trading engine with these capacities."""
    return Application(
        "trading",
        state_dtype(capacities),
        apply,
        prepare,
        next_due,
        digest,
        first_difference,
        TradingProjection,
        convert,
    )
