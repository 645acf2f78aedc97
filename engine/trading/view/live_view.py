"""Read-only views of the trading state for doors, notebooks and reports (L4 may import this).

    view = LiveView(state)              # an array of one STATE record, shared or private
    book = view.book("BTC-USD", depth=5)
    book.bids[0]                        # [px ticks, open lots, orders] of the best bid
    print(book)                         # in prices and quantities

The state may be written by another process meanwhile. Each answer is one consistent copy,
taken under the version word of its book or account, with the `seq` of the last command
that touched it; where a copy does not succeed in bounded time, `TornReadError` says so and
the caller may ask again. Units are those of the engine, ticks, lots and minor units; `text`
methods of the instrument and currency write them for people.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.contract.state_turn import whole
from engine.trading.client_text import given_text
from engine.trading.instruments import Catalogue, Currency, catalogue
from engine.trading.kernels.size_by import METHOD_MASK
from engine.trading.kernels.state import SIDES, UNLIMITED
from engine.trading.records import MONEY_MAX, Phase, Reason, Side, SizingMethod
from engine.trading.view.account_kernels import (
    ACCOUNT_COUNTS,
    BALANCE_COLUMNS,
    ORDER_COLUMNS,
    ORDER_FIELDS,
    POSITION_COLUMNS,
    copy_account,
    copy_client_order,
    copy_order_by_id,
    copy_orders,
)
from engine.trading.view.book_kernels import (
    HEAD_FIELDS,
    LEVEL_COLUMNS,
    TORN,
    copy_book,
    diff_levels,
)
from engine.trading.view.limits import (
    counted_latches,
    latches_of,
    limited_in,
    limits_of,
    losses_of,
    margin_of,
    read_heads,
)
from engine.trading.view.records import (
    AccountView,
    BalanceView,
    BookView,
    EndedOrder,
    OrdersView,
    OrderView,
    PositionView,
    SizeView,
    reach_of,
)
from engine.trading.view.size_kernels import SIZE_ASKED, SIZE_FOUND, copy_size
from engine.trading.view.watch_kernels import room_for_watch
from ringbuf.atomics import COMPILED
from ringbuf.seqlock import TornReadError

DEPTH_MAX = 10_000
"""Most levels of a side that one copy takes: about 100 us of reading."""


class LiveView:
    """Consistent copies out of one state. Not for use from several threads at once.

    Parameters
    ----------
    state : array of one STATE record, shared or private
    turn : gives the state epoch, odd while the state is being rebuilt; left out for one that never is

    `state` is the same array for further views of it, read-only.
    """

    def __init__(self, state: Any, turn: Callable[[], int] = lambda: 0) -> None:
        self.turn = turn
        state = state.view(np.recarray) if not COMPILED else state.view()
        state.flags.writeable = False
        self.state = self._state = state
        self._s = state[0]
        self._catalogue = catalogue(state)
        self._bids = np.zeros((DEPTH_MAX, LEVEL_COLUMNS), np.int64)
        self._asks = np.zeros((DEPTH_MAX, LEVEL_COLUMNS), np.int64)
        self._head = np.zeros(len(HEAD_FIELDS), np.int64)
        self._counts = np.zeros(SIDES, np.int64)
        self._books_used = state["books_used"]
        self._currencies_used = state["currencies_used"]
        self._version = state["version"][0]
        self._account_ids: dict[int, int] = {}

    def warm_up(self) -> None:
        """Load every kernel of the view, so that no later call waits for a compiler."""
        row, few = np.zeros(ORDER_COLUMNS, np.int64), np.zeros(max(SIDES, ACCOUNT_COUNTS), np.int64)
        levels = self._bids[:1]
        copy_book(self._state, 0, levels, levels, self._head, self._counts)
        copy_account(
            self._state,
            0,
            np.zeros((0, BALANCE_COLUMNS), np.int64),
            np.zeros((0, POSITION_COLUMNS), np.int64),
            few,
            *room_for_watch(),
        )
        copy_orders(self._state, 0, np.zeros((0, ORDER_COLUMNS), np.int64), few)
        copy_order_by_id(self._state, 1, row)
        copy_client_order(self._state, 0, 1, row, few)
        diff_levels(levels, levels, int(Side.BUY), np.zeros((2, LEVEL_COLUMNS), np.int64))
        copy_size(self._state, 0, 0, np.zeros(len(SIZE_ASKED), np.int64), np.zeros(len(SIZE_FOUND), np.int64))

    @property
    def catalogue(self) -> Catalogue:
        """The instruments and currencies, read anew when one was added."""
        known = self._catalogue
        used = int(self._books_used[0]), int(self._currencies_used[0])
        if (len(known.instruments), len(known.currencies)) != used:
            self._catalogue = catalogue(self._state)
        return self._catalogue

    @property
    def seq(self) -> int:
        """The last command applied, or being applied."""
        return int(self._s["seq"])

    @property
    def eng_ts(self) -> int:
        """The engine clock at the last command, ns."""
        return int(self._s["eng_ts"])

    @property
    def trade_count(self) -> int:
        """Trades since the start, over all books."""
        return int(self._s["trade_count"])

    @property
    def account_count(self) -> int:
        """Accounts defined; groups, which stand among them, are none."""
        return int(self._s["accounts_used"]) - int(self._s["groups_used"])

    @property
    def group_count(self) -> int:
        """Groups defined."""
        return int(self._s["groups_used"])

    @property
    def live_order_count(self) -> int:
        """Orders resting in all books."""
        return int(self._s["orders_live"])

    @property
    def kill_count(self) -> int:
        """Kills that hold: of accounts, of instruments, of the venue."""
        return int(self._s["kill_count"])

    def latch_counts(self) -> dict[str, int]:
        """Return how many accounts each limit has blocked, or lets only reduce what they hold."""
        used = int(self._s["accounts_used"])
        return counted_latches(self._s["watches"]["level"][:used][self._s["accounts"]["account"][:used] > 0])

    def limited_accounts(self) -> list[int]:
        """Return the accounts that have limits of their own or are killed: single words, not one moment."""
        return limited_in(self._s)

    @property
    def is_venue_killed(self) -> bool:
        """Whether a kill of the whole venue holds."""
        return bool(self._s["is_venue_killed"])

    def capacity_use(self) -> dict[str, tuple[int, int]]:
        """Return (used, capacity) of the pools that can run full."""
        s = self._s
        return {
            "orders": (int(s["orders_live"]), len(s["hot"])),
            "client_ids": (int(s["ids_used"]), len(s["ids"])),
            "positions": (int(s["positions_used"]), len(s["positions"])),
            "accounts": (self.account_count, len(s["accounts"]) - len(s["groups"])),
            "groups": (int(s["groups_used"]), len(s["groups"])),
            "instruments": (int(s["books_used"]), len(s["books"])),
        }

    @whole
    def fees(self) -> tuple[tuple[Currency, int], ...]:
        """Return what the fee account has, minor units of each currency: single words, not one moment."""
        rows = self._s["currencies"]
        return tuple((each, int(rows[each.currency_idx]["fees"])) for each in self.catalogue.currencies)

    def book_record(self, instrument_idx: int) -> Any:
        """Return the live BOOK record (rules, phase): single words, not one moment."""
        return self._s["books"][instrument_idx]

    def book_version(self, instrument_idx: int) -> int:
        """Return the version word of a book: it changes with every command that touches the book."""
        return int(self._version[instrument_idx])

    def book(self, symbol: str, depth: int = 10) -> BookView:
        """Return the best `depth` levels of both sides; an unknown symbol raises RefusedAtDoor."""
        return self.book_at(self.catalogue.instrument(symbol).instrument_idx, depth)

    @whole
    def book_at(self, instrument_idx: int, depth: int) -> BookView:
        """Return the book of an instrument index, at most DEPTH_MAX levels of a side."""
        depth = max(0, min(depth, DEPTH_MAX))
        head = self._head
        version = copy_book(
            self._state,
            instrument_idx,
            self._bids[:depth],
            self._asks[:depth],
            head,
            self._counts,
        )
        if version == TORN:
            raise TornReadError(f"book {instrument_idx} changed during every attempt to copy it")
        phase, last_px, mark_px, md_seq, order_count, trade_count, volume = head.tolist()
        return BookView(
            instrument=self.catalogue.instruments[instrument_idx],
            seq=version // 2,
            md_seq=md_seq,
            phase=Phase(phase),
            last_px=last_px,
            mark_px=mark_px,
            order_count=order_count,
            trade_count=trade_count,
            volume=volume,
            bids=self._bids[: self._counts[Side.BUY]].copy(),
            asks=self._asks[: self._counts[Side.SELL]].copy(),
        )

    def account_idx(self, account: int) -> int | None:
        """Return the index of an account, or None; accounts are never removed."""
        used = int(self._s["accounts_used"])
        if len(self._account_ids) != used:
            ids = self._s["accounts"]["account"][:used].tolist()
            self._account_ids = {account_id: idx for idx, account_id in enumerate(ids)}
        return self._account_ids.get(account) if account > 0 else None

    def accounts_with_orders(self) -> list[int]:
        """Return the accounts that have open orders at this moment."""
        accounts = self._s["accounts"][: int(self._s["accounts_used"])]
        with_orders = (accounts["open_orders"] > 0) & (accounts["account"] > 0)
        return [int(account) for account in accounts["account"][with_orders]]

    @whole
    def account(self, account: int) -> AccountView | None:
        """Return balances and positions of an account, None where there is none; raise TornReadError."""
        idx = self.account_idx(account)
        if idx is None:
            return None
        known = self.catalogue
        balances = np.zeros((len(known.currencies), BALANCE_COLUMNS), np.int64)
        counts = np.zeros(ACCOUNT_COUNTS, np.int64)
        room = heads, rows_of_latches = room_for_watch()
        rows = len(known.instruments)  # one position at most in each
        positions = np.zeros((rows, POSITION_COLUMNS), np.int64)
        version = copy_account(self._state, idx, balances, positions, counts, *room)
        if version == TORN or counts[0] > rows:
            raise TornReadError(f"account {account} changed during every attempt to copy it")
        views = tuple(self._position(known, row) for row in positions[: counts[0]].tolist())
        watched, latches = read_heads(heads.tolist()), rows_of_latches.tolist()
        return AccountView(
            seq=version // 2,
            account=account,
            is_enabled=bool(counts[2]),
            is_unlimited=bool(self._s["accounts"][idx]["unlimited"] & UNLIMITED),
            is_killed=bool(counts[3]),
            open_order_count=int(counts[1]),
            balances=tuple(
                _balance(currency, row, views)
                for currency, row in zip(known.currencies, balances.tolist(), strict=True)
            ),
            positions=views,
            reporting=known.currencies[watched["reporting"]] if known.currencies else None,
            latches=latches_of(latches),
            losses=losses_of(known, watched),
            limits=tuple(limits_of(known, watched, latches, int(counts[1]), reach_of(views))),
            group=watched["group"] or None,
            margin=margin_of(known, watched),
        )

    @whole
    def size(
        self, account: int, instrument_idx: int, side: Side, px: int, words: tuple[int, int]
    ) -> SizeView:
        """Return the quantity that an order of a known account would be given now; raise TornReadError.

        px : ticks, 0 of a market order
        words : `qty` and `order_id` of a SIZED order (engine/trading/fields.py)
        """
        idx = self.account_idx(account)
        assert idx is not None
        known = self.catalogue
        found = np.zeros(len(SIZE_FOUND), np.int64)
        version = copy_size(self._state, idx, instrument_idx, np.array([side, px, *words], np.int64), found)
        if version == TORN:
            raise TornReadError(f"account {account} or its book changed during every attempt to read them")
        reason, entry_px, limit_px, equity, wanted, *rooms = found.tolist()
        position_room, funds_room = (None if room == MONEY_MAX else room for room in rooms)
        return SizeView(
            self.seq,  # marks of other instruments are in it
            known.instruments[instrument_idx],
            known.currencies[int(self._s["watches"][idx]["reporting"])],
            Reason(reason),
            entry_px,
            limit_px,
            None if words[1] & METHOD_MASK == SizingMethod.FIXED_NOTIONAL else equity,
            wanted,
            position_room,
            funds_room,
        )

    def _position(self, known: Catalogue, row: list[int]) -> PositionView:
        instrument_idx, qty, cost, realised, open_buy, open_sell = row
        book = self._s["books"][instrument_idx]
        mark_px = int(book["mark_px"]) or int(book["last_px"])
        instrument = known.instruments[instrument_idx]
        value = abs(qty) * mark_px * instrument.scale
        gain = (value - cost if qty > 0 else cost - value) if mark_px else 0
        return PositionView(instrument, qty, cost, realised, gain, open_buy, open_sell, mark_px)

    @whole
    def orders(self, account: int) -> OrdersView | None:
        """Return the live orders of an account, None where there is no such account; raise TornReadError."""
        idx = self.account_idx(account)
        if idx is None:
            return None
        room = int(self._s["accounts"][idx]["open_orders"]) + 64
        rows = np.zeros((room, ORDER_COLUMNS), np.int64)
        counts = np.zeros(1, np.int64)
        version = copy_orders(self._state, idx, rows, counts)
        if version == TORN or counts[0] > room:
            raise TornReadError(f"orders of account {account} changed during every attempt to copy them")
        found = rows[: counts[0]]
        found = found[np.argsort(found[:, 0])]
        orders = tuple(self._order(version, row) for row in found.tolist())
        return OrdersView(version // 2, account, orders)

    @whole
    def order(self, order_id: int) -> OrderView | None:
        """Return a live order by its engine id, or None; raise TornReadError."""
        row = np.zeros(ORDER_COLUMNS, np.int64)
        version = copy_order_by_id(self._state, order_id, row)
        if version == TORN:
            raise TornReadError(f"order {order_id} changed during every attempt to copy it")
        return self._order(version, row.tolist()) if version else None

    @whole
    def client_order(self, account: int, client_order_id: int) -> OrderView | EndedOrder | None:
        """Return an order by the client's integer id: live, ended but still in the window, or None."""
        idx = self.account_idx(account)
        if idx is None:
            return None
        row = np.zeros(ORDER_COLUMNS, np.int64)
        ended = np.zeros(3, np.int64)
        version = copy_client_order(self._state, idx, client_order_id, row, ended)
        if version == TORN:
            raise TornReadError(f"client order {client_order_id} changed during every attempt to copy it")
        order_id, status, cum_qty = ended.tolist()
        if version and status:
            return EndedOrder(version // 2, order_id, client_order_id, account, status, cum_qty)
        return self._order(version, row.tolist()) if version else None

    def _order(self, version: int, row: list[int]) -> OrderView:
        f = dict(zip(ORDER_FIELDS, row, strict=True))
        return OrderView(
            seq=version // 2,
            order_id=f["order_id"],
            account=int(self._s["accounts"][f["account"]]["account"]),
            instrument=self.catalogue.instruments[f["instrument"]],
            side=Side(f["side"]),
            px=f["px"],
            qty=f["qty"],
            leaves_qty=f["leaves"],
            cum_qty=f["cum"],
            notional=f["notional"],
            client_order_id=f["client_order_id"],
            text=given_text(f["text0"], f["text1"], f["text2"]).encode(),
            time_in_force=f["time_in_force"],
            stp_mode=f["stp_mode"],
            is_post_only=bool(f["post_only"]),
            is_reduce_only=bool(f["reduce_only"]),
            rev=f["rev"],
            entry_ts=f["entry_ts"],
        )


def _balance(currency: Currency, row: list[int], positions: tuple[PositionView, ...]) -> BalanceView:
    total, reserved, selling = row
    held = [each for each in positions if each.instrument.quote is currency]
    value = sum(each.qty * each.mark_px * each.instrument.scale for each in held)
    gross = sum(abs(each.qty) * each.mark_px * each.instrument.scale for each in held)
    return BalanceView(currency, total, reserved, selling, total + value, gross + reserved + selling)
