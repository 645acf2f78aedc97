"""Trading's row of the registry: what the tools need of the application that trades."""

from collections.abc import Mapping
from typing import Any

from engine.contract.application import Application
from engine.contract.replica import private_state
from engine.trading.application import trading
from engine.trading.capacities import Capacities
from engine.trading.client_text import given_text
from engine.trading.kernels.convert import capacities_of, too_small
from engine.trading.records import OP_NAMES, Op
from engine.trading.settings import CapacitySettings, TradingSettings
from engine.trading.view.group_view import GroupViews
from engine.trading.view.live_view import LiveView
from pinion.cli.applications import ApplicationTools
from pinion.cli.trading.starting import STARTING

NAMING = frozenset(op.name.lower() for op in (Op.NEW, Op.CANCEL, Op.REPLACE))
"""Operations whose text is a client id."""


def with_client_id(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a dumped command whose text is the client id as it was given, where it is one."""
    if "text" in fields and fields["op"] in NAMING:
        return fields | {"text": given_text(*fields["text"])}
    return fields


def warm_up(application: Application) -> None:
    """Compile, or load, the kernels with which doors and api read the live state."""
    view = LiveView(private_state(application.state_dtype))
    view.warm_up()
    GroupViews(view).warm_up()


def _too_small(state: Any, capacities: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return too_small(state, Capacities(**capacities))


TOOLS = ApplicationTools(
    make=lambda capacities: trading(Capacities(**capacities)),
    capacities=CapacitySettings,
    settings=TradingSettings,
    too_small=_too_small,
    capacities_of=capacities_of,
    operations=OP_NAMES,
    as_given=with_client_id,
    warm_up=warm_up,
    counts=lambda state: {"trades": int(state["trade_count"][0])},
    starting=STARTING,
)
