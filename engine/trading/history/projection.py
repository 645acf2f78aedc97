"""Trading's history: what one batch of commands adds to the tables of schema.py.

    entries, events, state after them --> Projection.batch --> rows by table, merges

Everything is built a column at a time. An order accepted in the batch is copied as it stands at
the end of it; one that is older is staged and merged, once a batch however often it changed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.contract.projection import Batch, RowLayout, Rows, rows_of
from engine.trading.history.equity import EquitySamples
from engine.trading.history.kernels import (
    DEPOSIT_COLUMNS,
    DEPOSIT_COUNT,
    FILL_COLUMNS,
    HELD_COLUMNS,
    NO_SIDE,
    SIDES,
    follow_money,
    money_agrees,
)
from engine.trading.history.names import name_rows
from engine.trading.history.orders import order_rows
from engine.trading.history.schema import (
    MERGE_BALANCES,
    MERGE_EQUITY,
    MERGE_POSITIONS,
    MIGRATIONS,
    MOMENT_EVERY,
    SESSION,
)
from engine.trading.records import TEXT_BYTES, CommandFlag, EventFlag, EventKind, Op
from ringbuf.kernel import COMPILED

Ints = npt.NDArray[np.int64]

COMMAND_KINDS = {
    **dict.fromkeys(("seq", "eng_ts", "event_idx", "req_seq"), "int8"),
    **dict.fromkeys(("account", "order_id", "client_order_id"), "int8"),
    **dict.fromkeys(("px", "qty", "cum_qty", "leaves_qty"), "int8"),
    **dict.fromkeys(("instrument", "session"), "int4"),
    **dict.fromkeys(("ring", "op", "kind", "status", "reason"), "int2"),
    "is_sell": "bool",
}
OF_THE_REPORT = (
    *("account", "order_id", "client_order_id", "px", "qty", "cum_qty", "leaves_qty"),
    *("instrument", "kind", "status", "reason"),
)
NOT_REPLACED = dict.fromkeys(("rev", "prev_px", "prev_qty", "priority_kept"), "null")
REPLACED = {"rev": "int4", "prev_px": "int8", "prev_qty": "int8", "priority_kept": "bool"}
PLAIN_COMMAND = RowLayout(**COMMAND_KINDS, **NOT_REPLACED, record="null")
REPLACE_COMMAND = RowLayout(**COMMAND_KINDS, **REPLACED, record="null")
WHOLE_COMMAND = RowLayout(**COMMAND_KINDS, **NOT_REPLACED, record="bytes:128")
WITHOUT_REPORT = (EventKind.TRADE, EventKind.PREVENTED)
"""Kinds that have rows of their own for either side."""
MOMENT = RowLayout(eng_ts="int8", seq="int8", event_idx="int8")

REPORT = {
    **dict.fromkeys(("order_id", "event_idx", "seq", "eng_ts", "account"), "int8"),
    **dict.fromkeys(("client_order_id", "px", "qty", "cum_qty", "leaves_qty"), "int8"),
    "instrument": "int4",
    **dict.fromkeys(("op", "kind", "status", "reason"), "int2"),
    "is_sell": "bool",
}
PLAIN_REPORT = RowLayout(**REPORT, contra_order_id="null")
PREVENTED_REPORT = RowLayout(**REPORT, contra_order_id="int8")

TRADE = RowLayout(
    **dict.fromkeys(("event_idx", "seq", "eng_ts", "md_seq", "px", "qty"), "int8"),
    **dict.fromkeys(("taker_order_id", "maker_order_id", "taker_account", "maker_account"), "int8"),
    **dict.fromkeys(("taker_fee", "maker_fee"), "int8"),
    instrument="int4",
    is_sell="bool",
)
FILL = RowLayout(
    **dict.fromkeys(("account", "fill_id", "seq", "eng_ts", "order_id", "px", "qty"), "int8"),
    **dict.fromkeys(("cum_qty", "leaves_qty", "notional", "fee"), "int8"),
    **dict.fromkeys(("balance", "position_qty", "position_cost", "position_realised"), "int8"),
    instrument="int4",
    is_sell="bool",
)
SIDED = ("order_id", "account", "cum_qty", "leaves_qty", "notional", "fee")
"""Fields that a TRADE has for the taker and, with `maker_` before, for the maker."""
DEPOSITED: dict[str, str] = {
    **dict.fromkeys(("account", "event_idx", "seq", "eng_ts", "amount", "balance"), "int8"),
    "currency": "int4",
    "op": "int2",
    "movement_id": f"text:{TEXT_BYTES}",
}
DEPOSIT = RowLayout(**DEPOSITED, counter_account="null")
TRANSFERRED = RowLayout(**DEPOSITED, counter_account="int8")
BALANCE = RowLayout(account="int8", total="int8", seq="int8", currency="int4")
POSITION = RowLayout(
    **dict.fromkeys(("account", "qty", "cost", "realised", "seq"), "int8"), instrument="int4"
)
LATCH = RowLayout(
    **dict.fromkeys(("account", "event_idx", "seq", "eng_ts"), "int8"),
    **dict.fromkeys(("measured", "allowed", "cancelled_count"), "int8"),
    **{"instrument": "int4", "currency": "int4", "reason": "int2", "level": "int2"},
)
ACCOUNT_PLACES = 2**24
"""Above every index of an instrument or currency: makes one number of an account's place and it."""


class TradingProjection:
    """engine.contract.projection.Projection for the trading application."""

    migrations = MIGRATIONS
    session = SESSION

    def __init__(self) -> None:
        self._totals = np.zeros((0, 0), np.int64)
        self._held = np.zeros((0, HELD_COLUMNS), np.int64)
        self._equity = EquitySamples()

    def open(self, state: Any) -> None:
        """Take over balances and positions as they are behind the last projected command."""
        s = state[0]
        self._totals = s["balances"]["total"].copy()
        used = int(s["positions_used"])
        self._held = np.zeros((len(s["positions"]), HELD_COLUMNS), np.int64)
        for column, name in enumerate(("qty", "cost", "realised")):
            self._held[:used, column] = s["positions"][name][:used]
        self._equity.open(state)

    def looks(self, entries: Any) -> Sequence[int]:
        """Return the places behind which equity is sampled."""
        return self._equity.looks(entries)

    def look(self, entry: Any, state: Any) -> None:
        """Sample the equity."""
        self._equity.look(entry, state)

    def batch(self, entries: Any, events: Any, state: Any) -> Batch:
        """Return everything that these commands add; asserts that money comes out as in the state."""
        first, last = int(entries["seq"][0]), int(entries["seq"][-1])
        assert last - first == len(entries) - 1, "entries are dense in seq"
        s = state[0] if COMPILED else state.view(np.recarray)[0]
        kind = events["kind"]
        trades = events[kind == EventKind.TRADE]
        opened = events[(kind == EventKind.DONE) & (events["op"] == Op.ACCOUNT)]
        after = np.empty((2 * len(trades), FILL_COLUMNS), np.int64)
        moved = np.count_nonzero(kind == EventKind.MOVED)
        room = DEPOSIT_COUNT * len(opened) + SIDES * moved
        deposits = np.empty((room, DEPOSIT_COLUMNS), np.int64)
        counts = follow_money(s, events, entries, self._totals, self._held, after, deposits)
        assert money_agrees(s, events, self._totals, self._held), (
            f"after seq {last} balances or positions followed event by event are not those of the state"
        )
        deposits = deposits[: counts[1]]
        fills = _fill_columns(trades, after)
        first_event = int(state[0]["event_count"]) - len(events)
        place = _first_places(entries, events)
        is_further = kind != EventKind.TRADE
        held = place < len(events)
        is_further[place[held][events["seq"][place[held]] == entries["seq"][held]]] = False
        rows = [
            *_commands(entries, events, place, first_event),
            _reports(events[is_further | (kind == EventKind.PREVENTED)]),
            _trades(trades),
            _fills(fills),
            _deposits(events, deposits, state),
            _balances(fills, events, deposits, state),
            _positions(fills),
            _latches(events[kind == EventKind.LATCHED]),
            equity := self._equity.taken(),
        ]
        merges = [MERGE_EQUITY] if equity.count else []
        if len(fills["account"]) or len(deposits):
            merges += [MERGE_BALANCES, MERGE_POSITIONS]
        order_parts, order_merges = order_rows(entries, events, s)
        name_parts, name_merges = name_rows(entries, events, state)
        return Batch(
            first_seq=first,
            last_seq=last,
            eng_ts=int(entries["eng_ts"][-1]),
            rows=tuple(each for each in (*name_parts, *rows, *order_parts) if each.count),
            merges=(*name_merges, *order_merges, *merges),
        )


def _first_places(entries: Any, events: Any) -> Ints:
    """Return where the first event of every command's own lies; where it has none, where it would lie.

    What came about at the head of a command is of no ring (engine/trading/kernels/sweep.py): it is told among
    the further reports.
    """
    place: Ints = np.searchsorted(events["seq"], entries["seq"])
    is_own = events["ring"] == entries["ring"][events["seq"] - entries["seq"][0]]
    if is_own.all():
        return place
    own = np.flatnonzero(is_own)
    found = np.searchsorted(events["seq"][own], entries["seq"])
    has_own = found < np.searchsorted(events["seq"][own], entries["seq"], "right")
    place[has_own] = own[found[has_own]]
    return place


def _commands(entries: Any, events: Any, place: Ints, first_event: int) -> tuple[Rows, Rows]:
    """Return the commands, each with its first report, and the moments among them."""
    command = entries["command"]
    values: dict[str, Any] = {name: entries[name] for name in ("seq", "eng_ts", "ring")}
    values |= {name: command[name] for name in ("req_seq", "session", "op")}
    values["event_idx"] = first_event + place
    values |= _first_reports(events, place, entries["seq"])
    is_of_group = (command["op"] == Op.ACCOUNT_LIMITS) & (command["flags"] & CommandFlag.OF_GROUP != 0)
    names_account = np.isin(command["op"], (Op.ACCOUNT, Op.LIMITS, Op.ACCOUNT_LIMITS)) & ~is_of_group
    values["account"] = np.where(names_account, command["account"], values["account"])

    # A rejected command left nothing else behind, an administration command has other fields.
    is_whole = (values["kind"] == EventKind.REJECTED) | (command["op"] >= Op.MASS_CANCEL)
    # What a latch lowered may be the first report of a command that replaced nothing.
    is_replaced = (values["kind"] == EventKind.REPLACED) & ~is_whole
    replaced, whole = np.flatnonzero(is_replaced), np.flatnonzero(is_whole)
    at, record = place[replaced], command[whole].view("S128")
    more = {name: events[name][at] for name in ("rev", "prev_px", "prev_qty")}
    more["priority_kept"] = events["flags"][at] & EventFlag.PRIORITY_KEPT != 0
    parts = [
        _packed(PLAIN_COMMAND, values, np.flatnonzero(~is_replaced & ~is_whole), {}),
        _packed(REPLACE_COMMAND, values, replaced, more),
        _packed(WHOLE_COMMAND, values, whole, {"record": record}),
    ]
    moments = np.flatnonzero(entries["seq"] % MOMENT_EVERY == 0)
    return (
        rows_of("commands", PLAIN_COMMAND.columns, len(entries), parts),
        rows_of("moments", MOMENT.columns, len(moments), [_packed(MOMENT, values, moments, {})]),
    )


def _first_reports(events: Any, place: Ints, seqs: Ints) -> dict[str, Any]:
    """Return the columns of every command's first report, zeros where it has none."""
    if len(events) == 0:
        nothing: dict[str, Any] = {name: np.zeros(len(place), np.int64) for name in OF_THE_REPORT}
        return nothing | {"is_sell": nothing["kind"], "instrument": nothing["kind"] - 1}
    place = np.minimum(place, len(events) - 1)
    kind = events["kind"][place]
    is_none = (events["seq"][place] != seqs) | np.isin(kind, WITHOUT_REPORT)
    values = {name: events[name][place] for name in OF_THE_REPORT}
    values["is_sell"] = events["flags"][place] & EventFlag.SELL != 0
    if is_none.any():
        for name, column in values.items():
            column[is_none] = -1 if name == "instrument" else 0
    return values


def _packed(layout: RowLayout, values: dict[str, Any], chosen: Ints, more: dict[str, Any]) -> bytes:
    """Pack the chosen rows of `values`, and columns that only they have."""
    own = {name: values[name][chosen] for name in layout.columns if name in values}
    return layout.pack(len(chosen), own | more)


def _reports(events: Any) -> Rows:
    """Return the further reports of commands; of a PREVENTED one for either side."""
    is_prevented = events["kind"] == EventKind.PREVENTED
    plain, prevented = events[~is_prevented], events[is_prevented]
    parts = [PLAIN_REPORT.pack(len(plain), _report_columns(plain))]
    if len(prevented):
        takers = _report_columns(prevented) | {"contra_order_id": prevented["maker_order_id"]}
        makers = takers | {"contra_order_id": prevented["order_id"], "is_sell": ~takers["is_sell"]}
        for name in ("order_id", "account", "client_order_id", "cum_qty", "leaves_qty"):
            makers[name] = prevented[f"maker_{name}"]
        parts += [PREVENTED_REPORT.pack(len(prevented), side) for side in (takers, makers)]
    return rows_of("reports", PLAIN_REPORT.columns, len(plain) + 2 * len(prevented), parts)


def _report_columns(events: Any) -> dict[str, Any]:
    values = {name: events[name] for name in REPORT if name != "is_sell"}
    return values | {"is_sell": events["flags"] & EventFlag.SELL != 0}


def _trades(trades: Any) -> Rows:
    values = {name: trades[name] for name in ("event_idx", "seq", "eng_ts", "md_seq", "px", "qty")}
    for name in ("order_id", "account", "fee"):
        values |= {f"taker_{name}": trades[name], f"maker_{name}": trades[f"maker_{name}"]}
    values |= {"instrument": trades["instrument"], "is_sell": trades["flags"] & EventFlag.SELL != 0}
    return rows_of("trades", TRADE.columns, len(trades), [TRADE.pack(len(trades), values)])


def _fill_columns(trades: Any, after: Ints) -> dict[str, Any]:
    """Return the columns of the fills, taker then maker of every trade."""
    values: dict[str, Any] = {
        name: np.repeat(trades[name], 2) for name in ("seq", "eng_ts", "px", "qty", "instrument")
    }
    for name in SIDED:
        values[name] = np.stack((trades[name], trades[f"maker_{name}"]), axis=1).reshape(-1)
    is_maker = np.tile(np.array([False, True]), len(trades))
    values["is_sell"] = np.repeat(trades["flags"] & EventFlag.SELL != 0, 2) ^ is_maker
    values["fill_id"] = 2 * np.repeat(trades["event_idx"], 2) + is_maker
    for column, name in enumerate(("balance", "position_qty", "position_cost", "position_realised")):
        values[name] = after[:, column]
    return values


def _fills(fills: dict[str, Any]) -> Rows:
    # Neighbours in the index, and on the page of whoever asks by account.
    order = np.argsort(fills["account"], kind="stable")
    return rows_of("fills", FILL.columns, len(order), [_packed(FILL, fills, order, {})])


def _deposits(events: Any, deposits: Ints, state: Any) -> Rows:
    place, account_idx, currency, amount, balance, other = deposits.T
    values = {name: events[name][place] for name in ("event_idx", "seq", "eng_ts", "op")}
    values |= {"account": state[0]["accounts"]["account"][account_idx], "currency": currency}
    values |= {"amount": amount, "balance": balance, "counter_account": other}
    values["movement_id"] = events["text"][place].view(f"S{TEXT_BYTES}").reshape(-1)
    has_other = other != NO_SIDE
    parts = [
        _packed(DEPOSIT, values, np.flatnonzero(~has_other), {}),
        _packed(TRANSFERRED, values, np.flatnonzero(has_other), {}),
    ]
    return rows_of("deposits", DEPOSIT.columns, len(deposits), parts)


def _latches(latched: Any) -> Rows:
    values = {name: latched[name] for name in ("event_idx", "seq", "eng_ts", "instrument", "reason")}
    values["account"] = latched["account"] - latched["client_order_id"]  # of a group its number below zero
    values |= {"measured": latched["cum_qty"], "allowed": latched["leaves_qty"], "level": latched["status"]}
    values |= {"cancelled_count": latched["qty"], "currency": latched["px"]}
    return rows_of("latches", LATCH.columns, len(latched), [LATCH.pack(len(latched), values)])


def _last_of_each(keys: Ints) -> Any:
    """Return the places of the last occurrence of every key."""
    _, places = np.unique(keys[::-1], return_index=True)
    return len(keys) - 1 - places


def _pair_keys(accounts: Ints, others: Ints) -> Ints:
    _, place = np.unique(accounts, return_inverse=True)
    return place.astype(np.int64) * ACCOUNT_PLACES + others


def _balances(fills: dict[str, Any], events: Any, deposits: Ints, state: Any) -> Rows:
    """Return what accounts have after the batch in the currencies that moved."""
    s = state[0]
    place, account_idx, currency, _, balance, _ = deposits.T
    values = {
        "account": np.concatenate((fills["account"], s["accounts"]["account"][account_idx])),
        "currency": np.concatenate((s["books"]["quote"][fills["instrument"]], currency)),
        "total": np.concatenate((fills["balance"], balance)),
        "seq": np.concatenate((fills["seq"], events["seq"][place])),
    }
    order = np.argsort(values["seq"], kind="stable")
    values = {name: column[order] for name, column in values.items()}
    last = _last_of_each(_pair_keys(values["account"], values["currency"]))
    packed = BALANCE.pack(len(last), {name: column[last] for name, column in values.items()})
    return rows_of("changed_balances", BALANCE.columns, len(last), [packed])


def _positions(fills: dict[str, Any]) -> Rows:
    """Return the positions that fills moved, as they are after the batch."""
    last = _last_of_each(_pair_keys(fills["account"], fills["instrument"].astype(np.int64)))
    values = {name: fills[name][last] for name in ("account", "seq", "instrument")}
    values |= {name: fills[f"position_{name}"][last] for name in ("qty", "cost", "realised")}
    packed = POSITION.pack(len(last), values)
    return rows_of("changed_positions", POSITION.columns, len(last), [packed])
