"""The trading application as the runtime takes it."""

from engine.capacities import Capacities
from engine.runtime.segments import Application
from engine.trading.apply import apply, next_due
from engine.trading.convert import convert
from engine.trading.digest import digest, first_difference
from engine.trading.prepare import prepare
from engine.trading.projection import TradingProjection
from engine.trading.state import state_dtype


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
