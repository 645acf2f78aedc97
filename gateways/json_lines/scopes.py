"""What a kill or its end is about: exactly one of an order, an account, a group, a symbol, the venue."""

from collections.abc import Mapping
from typing import Any

from engine.trading.instruments import Catalogue, Instrument, RefusedAtDoor
from engine.trading.records import KillScope, Reason
from gateways.json_lines.fields import MalformedCommand, flag, refuse_unknown_fields, whole
from gateways.json_lines.groups import numbered

KILL_SELECTORS = ("order_id", "account", "group", "symbol", "venue")
RESET_SELECTORS = ("account", "group", "symbol", "venue")
SELECTORS_TO_COME = ("session",)

Content = dict[str, Any]


def killed(catalogue: Catalogue, fields: Mapping[str, Any]) -> Content:
    """Return what a `kill` names."""
    return _scope(catalogue, fields, "kill", KILL_SELECTORS)


def lifted(catalogue: Catalogue, fields: Mapping[str, Any]) -> Content:
    """Return what a `reset_latch` names."""
    return _scope(catalogue, fields, "reset_latch", RESET_SELECTORS, ("limit", "rebase"))


def instrument_named(catalogue: Catalogue, symbol: object) -> Instrument:
    """Return the instrument of a symbol."""
    if not isinstance(symbol, str):
        raise MalformedCommand("symbol", symbol, "give a string")
    return catalogue.instrument(symbol)


def _scope(
    catalogue: Catalogue,
    fields: Mapping[str, Any],
    op: str,
    selectors: tuple[str, ...],
    more: tuple[str, ...] = (),
) -> Content:
    """Return what one of the selectors says, exactly one of which has to be given."""
    all_of_them = (*selectors, *SELECTORS_TO_COME)
    refuse_unknown_fields(fields, {"op", *all_of_them, *more}, op)
    given = [name for name in all_of_them if not (fields.get(name) is None or fields[name] is False)]
    if len(given) != 1:
        field = given[1] if given else "op"
        raise MalformedCommand(field, fields[field], f"give exactly one of {', '.join(selectors)}")
    [name] = given
    match name:
        case "order_id":
            return {"value": KillScope.ORDER, "order_id": whole(fields[name], name)}
        case "account":
            return {"value": KillScope.ACCOUNT, "account": whole(fields[name], name)}
        case "group":
            return {"value": KillScope.GROUP, "account": numbered(fields[name], name)}
        case "symbol":
            instrument = instrument_named(catalogue, fields[name])
            return {"value": KillScope.INSTRUMENT, "instrument": instrument.instrument_idx}
        case "venue":
            flag(fields, name)
            return {"value": KillScope.VENUE}
    raise RefusedAtDoor(Reason.UNSUPPORTED, name, fields[name], "not offered yet; kill its accounts")
