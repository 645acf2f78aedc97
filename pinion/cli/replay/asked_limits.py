"""The limits of `pinion whatif`: read, and kept in force against what the journal says of the same ones."""

from typing import Any

import msgspec
import numpy as np

from engine.contract.control_words import OWN_RING
from engine.contract.errors import UsageError
from engine.runtime.replay.eras import EraReplica
from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from engine.trading.event_forms import SPREAD
from engine.trading.fields import (
    ACCOUNT_LIMIT_FIELDS,
    BOOK_ORDERS_FIELD,
    INSTRUMENT_LIMIT_FIELDS,
    AccountLimit,
)
from engine.trading.instruments import RefusedAtDoor, catalogue
from engine.trading.offline.kernels import apply_unnumbered
from engine.trading.records import COMMAND, PX_MAX, UNCHANGED, CommandFlag, EventKind, Op, Reason, Role
from gateways.json_lines import CommandEncoder, MalformedCommand
from gateways.json_lines.account_limits import ACCOUNT_LIMITS, AMOUNTS, LATCHING, OF_DEFAULT
from ringbuf.kernel import COMPILED

EXAMPLE = '{"account":1,"max_open_orders":5}'
WHOSE = ("account", "group", "symbol")
ABOUT_THEM = (*WHOSE, "op", "on_breach")
DEFINING = (Op.CURRENCY, Op.INSTRUMENT, Op.ACCOUNT, Op.GROUP, Op.RATE)
"""Behind these a limit that could not be set yet is tried again."""
LIMITING = (Op.LIMITS, Op.ACCOUNT_LIMITS)
NAMED_BITS = 32
LATCHING_BITS = sum(1 << AccountLimit[name.upper()] for name in LATCHING)
REASONS = {
    Reason.UNKNOWN_ACCOUNT: (
        ("account",),
        "the journal has no such account; give one that it has, or 0 for every one without limits of its own",
    ),
    Reason.UNKNOWN_GROUP: (("group",), "the journal has no such group; give one that it has"),
    Reason.OVERFLOW: (
        ("max_quantity", *AMOUNTS),
        "at the highest price, or in minor units, more than can be counted; give less",
    ),
    Reason.NO_RATE: (
        (*AMOUNTS, "max_drawdown_bps", "max_concentration_ppm"),
        "the account has money or orders in a currency without a rate to its reporting currency",
    ),
    Reason.INVALID_PRICE: (
        ("band_low", "band_high"),
        f"a band begins above 0, ends no lower, and at {PX_MAX} ticks at most; give such prices",
    ),
    Reason.INVALID_FIELD: (
        (*INSTRUMENT_LIMIT_FIELDS, *OF_DEFAULT, *AMOUNTS),
        "a limit is 0 or more, an amount in whole minor units of the reporting currency; give such a number",
    ),
}
"""Why the engine refuses a limit -> the fields that it may be about, and what they must be."""

Fields = dict[str, Any]


class LimitError(UsageError):
    """A --limit that cannot be used; the text says which and why."""


def parsed(text: str) -> Fields:
    """Return the fields of a --limit."""
    try:
        fields = exact_json.decode(text)
    except DoubledKey as error:
        raise LimitError(f"--limit {text!r}: {error}") from error
    except JsonFault as error:
        raise LimitError(f"--limit {text!r}: not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("op", "limits") != "limits":
        raise LimitError(f"--limit {text!r}: give a `limits` line, such as {EXAMPLE}")
    if not any(fields.get(name) is not None for name in WHOSE):
        raise LimitError(
            f"--limit {text!r}: names no account, group or symbol; give one (account 0: every account that "
            f"has no limit of its own), such as {EXAMPLE}"
        )
    if not fields.keys() - {*ABOUT_THEM}:
        raise LimitError(f"--limit {text!r}: limits nothing; give a limit, such as {EXAMPLE}")
    return {"op": "limits", **fields}


def refuse_twice(limits: list[Fields]) -> None:
    """Refuse one limit of one account or symbol that is given two values."""
    seen: set[tuple[Any, ...]] = set()
    for fields in limits:
        whose = tuple(str(fields.get(name)) for name in WHOSE)
        for name in fields.keys() - {*ABOUT_THEM}:
            if (*whose, name) in seen:
                raise LimitError(
                    f"--limit {msgspec.json.encode(fields).decode()}: {name} is given twice; give it once"
                )
            seen.add((*whose, name))


class AskedLimits:
    """The limits of the question, in an engine that has them as soon as what they are of is defined.

    They win over the journal: what its lines say of a limit that is asked for is left out of them, so that
    the limit neither moves nor is measured anew. What is not asked for stays as the journal sets it.
    """

    def __init__(self, limits: list[Fields]) -> None:
        self.limits = limits
        self._refused: dict[int, str] = dict.fromkeys(range(len(limits)), "the journal is empty")
        self._of_holder: dict[int, int] = {}  # account, or group below zero -> bits of AccountLimit
        self._of_symbol: dict[str, set[str]] = {}
        for fields in limits:
            if fields.get("symbol") is not None:
                self._of_symbol.setdefault(fields["symbol"], set()).update(fields.keys())
                continue
            account, group = fields.get("account"), fields.get("group")
            holder = -group if isinstance(group, int) else account
            if isinstance(holder, int):
                bits = sum(1 << ACCOUNT_LIMITS[name] for name in fields.keys() & ACCOUNT_LIMITS.keys())
                self._of_holder[holder] = self._of_holder.get(holder, 0) | bits

    @property
    def are_waiting(self) -> bool:
        """Whether some could not be set yet."""
        return bool(self._refused)

    def refuse_waiting(self) -> None:
        """Raise LimitError where one never became valid."""
        for index, why in self._refused.items():
            raise LimitError(f"--limit {msgspec.json.encode(self.limits[index]).decode()}: {why}")

    def set(self, replica: EraReplica) -> None:
        """Set those that wait in an engine, as far as it takes them."""
        encoder = CommandEncoder(catalogue(replica.state), roles=Role.ALL)
        for index in list(self._refused):
            fields, command = self.limits[index], np.zeros(1, COMMAND)
            try:
                encoder.encode(fields, command[0])
            except (RefusedAtDoor, MalformedCommand) as error:
                self._refused[index] = str(error)
                continue
            refused = _apply(replica, command)
            if refused is None:
                del self._refused[index]
            else:
                self._refused[index] = _why(refused, fields)

    def left_out(self, records: Any, replica: EraReplica) -> Any:
        """Return journal entries without what they say of these limits."""
        places = np.flatnonzero(np.isin(records["command"]["op"], LIMITING))
        if not len(places):
            return records
        changed = np.array(records)
        for place in places.tolist():
            command = changed["command"][place : place + 1]
            self._leave_out(command[0], replica)
        return changed

    def _leave_out(self, command: Any, replica: EraReplica) -> None:
        if command["op"] == Op.ACCOUNT_LIMITS:
            is_of_group = command["flags"] & CommandFlag.OF_GROUP
            bits = self._of_holder.get(int(command["account"]) * (-1 if is_of_group else 1), 0)
            command["client_order_id"] &= ~(bits | bits << NAMED_BITS)
            if not int(command["client_order_id"]) & LATCHING_BITS:
                command["side"] = 0  # there is nothing left that latches
        elif command["instrument"] < 0:  # of accounts, in journals of before
            bits = self._of_holder.get(int(command["account"]), 0)
            for name, field in ACCOUNT_LIMIT_FIELDS.items():
                if bits >> ACCOUNT_LIMITS[name] & 1:
                    command[field] = UNCHANGED
        else:
            known = catalogue(replica.state).instruments
            place = int(command["instrument"])
            asked = self._of_symbol.get(known[place].symbol, set()) if place < len(known) else set()
            for name in asked & INSTRUMENT_LIMIT_FIELDS.keys():
                command[INSTRUMENT_LIMIT_FIELDS[name]] = UNCHANGED
            if "max_open_orders" in asked:
                command[BOOK_ORDERS_FIELD] = 0


def _why(reason: Reason, fields: Fields) -> str:
    """Return what is wrong with a limit that the engine refused: fields, values and the mend."""
    names, mend = REASONS.get(reason, ((), "the engine refuses it; give another limit"))
    given = ", ".join(f"{name} = {fields[name]!r}" for name in names if name in fields)
    return f"{given or 'the limit'}: {mend} ({reason.name.lower()})"


def _apply(replica: EraReplica, command: Any) -> Reason | None:
    """Apply a command that has no number; return why the engine refuses it, if it does."""
    s = replica.state[0]
    state = replica.state if COMPILED else replica.state.view(np.recarray)
    slots = apply_unnumbered(state, command, OWN_RING)
    event = SPREAD.events_of(s["out"][:slots])[-1]  # others are of the sweep, at its head
    if event["kind"] == EventKind.REJECTED and event["op"] in LIMITING:
        return Reason(int(event["reason"]))
    return None
