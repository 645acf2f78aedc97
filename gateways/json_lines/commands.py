"""CommandEncoder: one JSON command in, one COMMAND record out.

A `replace` names an order, not an instrument, yet its price must become ticks: the
encoder asks `instrument_of` whose order it is. Where nobody knows the order, price and
quantity stay UNCHANGED, because the engine refuses the command anyway.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from engine.text import times
from engine.trading.instruments import (
    INT64_MAX,
    TEXTS_KEPT,
    Catalogue,
    Instrument,
    RefusedAtDoor,
    decimal_from,
)
from engine.trading.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    COMMAND_VERSION,
    UNCHANGED,
    CommandFlag,
    Op,
    OrderType,
    Reason,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from engine.trading.rows import COMMAND_STRUCT, NO_TEXT, Row, row
from gateways.json_lines.administration import ADMINISTRATION, Administration
from gateways.json_lines.fields import (
    MalformedCommand,
    client_id,
    did_you_mean,
    flag,
    order_ids,
    refuse_unknown_fields,
    required,
    whole,
    whole_or,
    word,
    words_of,
)
from gateways.json_lines.size_by import sizing_words

InstrumentOf = Callable[[int, int, int], Instrument | None]
"""(account, client_order_id, order_id) -> the instrument of that order, None if unknown."""

SIDES = words_of(Side)
TYPES = words_of(OrderType)
TIMES_IN_FORCE = words_of(TimeInForce)
STP_MODES = words_of(SelfTradePrevention)

NEW_FIELDS = frozenset(
    {
        *("op", "client_order_id", "account", "symbol", "side", "type", "price", "quantity"),
        *("time_in_force", "display_quantity", "stop_price", "trail", "expires_at"),
        *("post_only", "self_trade_prevention", "reduce_only", "size_by"),
    }
)
USUAL_FIELDS = NEW_FIELDS - {
    *("display_quantity", "stop_price", "trail", "expires_at"),
    *("post_only", "self_trade_prevention", "reduce_only", "size_by"),
}
"""Where a new order has no others, those are not looked for."""
CANCEL_FIELDS = frozenset({"op", "account", "client_order_id", "order_id"})
REPLACE_FIELDS = CANCEL_FIELDS | {"price", "quantity"}
MASS_CANCEL_FIELDS = frozenset({"op", "account", "symbol", "side"})

_ID_MIN = -INT64_MAX
_FAST_DIGITS = 18  # always fit int64
_FAST_CHARS = _FAST_DIGITS + 1  # the digits and a point: nothing longer is kept
# Plain ints: struct packs an IntEnum member several times slower.
_NEW, _VERSION = int(Op.NEW), COMMAND_VERSION
_LIMIT, _MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
_GTC, _IOC = int(TimeInForce.GTC), int(TimeInForce.IOC)
_CANCEL_NEWEST = int(SelfTradePrevention.CANCEL_NEWEST)
_USUAL = _CANCEL_NEWEST, 0, 0  # stp_mode, flags, expiry
_POST_ONLY, _REDUCE_ONLY = int(CommandFlag.POST_ONLY), int(CommandFlag.REDUCE_ONLY)
_SIZED = int(CommandFlag.SIZED)


def steps(value: object, mantissa: int, decimals: int) -> int | None:
    """Return a plain decimal as whole steps, or None where the exact Decimal road must decide."""
    if type(value) is not str or len(value) > _FAST_CHARS:
        return None
    return _steps(value, mantissa, decimals)


@lru_cache(TEXTS_KEPT)
def _steps(value: str, mantissa: int, decimals: int) -> int | None:
    whole_part, point, part = value.partition(".")
    missing = decimals - len(part)
    if missing < 0 or not whole_part or (point and not part):
        return None
    digits = whole_part + part + "0" * missing if missing else whole_part + part
    if len(digits) > _FAST_DIGITS or not digits.isdigit() or not digits.isascii():
        return None
    if mantissa == 1:
        return int(digits)
    count, rest = divmod(int(digits), mantissa)
    return None if rest else count


def _px(instrument: Instrument, value: object, name: str) -> int:
    count = steps(value, instrument.tick_mantissa, instrument.tick_decimals)
    return instrument.px(value, name) if count is None else count


def _qty(instrument: Instrument, value: object, name: str) -> int:
    count = steps(value, instrument.lot_mantissa, instrument.lot_decimals)
    return instrument.qty(value, name) if count is None else count


class CommandEncoder:
    """Encoder of JSON commands (interface R2) as COMMAND records, against one catalogue.

    Parameters
    ----------
    catalogue : what the engine knows now; assign `encoder.catalogue` when it grew
    instrument_of : resolver for `replace`; left out, only a catalogue of one instrument resolves
    owner : whose textual client ids these are; None takes the account of each command
    session, roles : stamped into every record; a door may overwrite them afterwards
    is_live : the commands go to a running instance, whose clock tells nanoseconds since 1970

    `new_currencies` holds, after a command that names currencies unknown so far, their codes in
    the order in which the caller must create them (6 decimals) before it submits the command.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        instrument_of: InstrumentOf | None = None,
        *,
        owner: str | None = None,
        session: int = 0,
        roles: Role = Role.ALL,
        is_live: bool = False,
    ) -> None:
        self.catalogue = catalogue
        self.instrument_of = instrument_of or self._only_instrument
        self.owner = owner
        self.session = session
        self.roles = int(roles)
        self._is_live = is_live
        self.new_currencies: list[str] = []
        self._encoders: dict[str, Callable[[Mapping[str, Any]], Row]] = {
            "new": self._new,
            "cancel": self._cancel,
            "replace": self._replace,
            "mass_cancel": self._mass_cancel,
        }

    def encode(self, fields: Mapping[str, Any], command: np.void) -> None:
        """Write the command into one record of an array; on an error leave it untouched."""
        np.asarray(command)[()] = np.frombuffer(self.pack(fields), COMMAND)[0]

    def pack(self, fields: Mapping[str, Any]) -> bytes:
        """Return the command as the 128 bytes of its record: the fast way to fill many."""
        return COMMAND_STRUCT.pack(*self.row(fields))

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return the command as the row of its record."""
        if self.new_currencies:
            self.new_currencies = []
        op = fields.get("op")
        encode = self._encoders.get(op) if isinstance(op, str) else None
        if encode is not None:
            return encode(fields)
        if not isinstance(op, str) or op not in ADMINISTRATION:
            raise MalformedCommand("op", op, did_you_mean(op, [*self._encoders, *ADMINISTRATION]))
        administration = Administration(self.catalogue)
        content = ADMINISTRATION[op](administration, fields)
        self.new_currencies = administration.new_currencies
        return row(session=self.session, roles=self.roles, **content)

    def _new(self, fields: Mapping[str, Any]) -> Row:
        is_usual = USUAL_FIELDS.issuperset(fields)
        if not is_usual and not NEW_FIELDS.issuperset(fields):
            refuse_unknown_fields(fields, NEW_FIELDS, "new")
        get = fields.get
        account = get("account")
        if type(account) is not int or not _ID_MIN <= account <= INT64_MAX:
            account = whole(required(fields, "account"), "account")
        given = get("client_order_id")
        if type(given) is int and 0 < given <= INT64_MAX:
            client_order_id, words = given, NO_TEXT
        else:
            client_order_id, words = self._client_id(given, account)
        given = get("side")
        side = SIDES.get(given) if type(given) is str else None
        if side is None:
            side = word(required(fields, "side"), "side", SIDES)
        given = get("type")
        order_type = _LIMIT if given is None else word(given, "type", TYPES)
        given = get("time_in_force")
        if given is not None:
            time_in_force = word(given, "time_in_force", TIMES_IN_FORCE)
        else:
            time_in_force = _IOC if order_type == _MARKET else _GTC
        stp_mode, flags, expiry = _USUAL if is_usual else self._unusual(fields)
        given = get("symbol")
        instrument = self.catalogue.instrument_by_symbol.get(given) if type(given) is str else None
        if instrument is None:
            instrument = self._instrument(required(fields, "symbol"))
        given, sizing = get("quantity"), 0
        qty = steps(given, instrument.lot_mantissa, instrument.lot_decimals)
        if qty is None or not is_usual:
            qty, sizing, flags = _quantity(fields, instrument, qty, flags)
        given = get("price")
        px = 0 if given is None else _px(instrument, given, "price")
        display_qty = stop_px = trail = 0
        if not is_usual:
            display, stop = get("display_quantity"), get("stop_price")
            display_qty = 0 if display is None else _qty(instrument, display, "display_quantity")
            stop_px = 0 if stop is None else _px(instrument, stop, "stop_price")
            trail = _trail(instrument, get("trail"), order_type)
        text_0, text_1, text_2 = words
        return (  # as COMMAND_NAMES has them
            _NEW,
            _VERSION,
            side,
            order_type,
            time_in_force,
            stp_mode,
            flags,
            self.roles,
            instrument.instrument_idx,
            self.session,
            account,
            client_order_id,
            sizing,
            px,
            qty,
            display_qty,
            stop_px,
            expiry,
            0,
            0,
            text_0,
            text_1,
            text_2,
            trail,
        )

    def _unusual(self, fields: Mapping[str, Any]) -> tuple[int, int, int]:
        """Return (stp_mode, flags, expiry) of a new order that may name them."""
        given = fields.get("self_trade_prevention")
        stp_mode = _CANCEL_NEWEST if given is None else word(given, "self_trade_prevention", STP_MODES)
        flags = _POST_ONLY if flag(fields, "post_only") else 0
        if flag(fields, "reduce_only"):
            flags |= _REDUCE_ONLY
        expiry = whole_or(fields, "expires_at", 0)
        if self._is_live and times.is_of_another_unit(expiry):
            raise RefusedAtDoor(Reason.INVALID_EXPIRY, "expires_at", expiry, times.NANOSECONDS)
        return stp_mode, flags, expiry

    def _cancel(self, fields: Mapping[str, Any]) -> Row:
        refuse_unknown_fields(fields, CANCEL_FIELDS, "cancel")
        account, client_order_id, order_id, words = self._order(fields)
        return row(
            op=Op.CANCEL,
            session=self.session,
            roles=self.roles,
            account=account,
            client_order_id=client_order_id,
            order_id=order_id,
            text=words,
        )

    def _replace(self, fields: Mapping[str, Any]) -> Row:
        refuse_unknown_fields(fields, REPLACE_FIELDS, "replace")
        account, client_order_id, order_id, words = self._order(fields)
        instrument = self.instrument_of(account, client_order_id, order_id)
        price, quantity = fields.get("price"), fields.get("quantity")
        px = qty = UNCHANGED
        if instrument is None:
            for name, value in (("price", price), ("quantity", quantity)):
                if value is not None:
                    decimal_from(value, name)
        else:
            px = UNCHANGED if price is None else _px(instrument, price, "price")
            qty = UNCHANGED if quantity is None else _qty(instrument, quantity, "quantity")
        return row(
            op=Op.REPLACE,
            session=self.session,
            roles=self.roles,
            account=account,
            client_order_id=client_order_id,
            order_id=order_id,
            instrument=0 if instrument is None else instrument.instrument_idx,
            px=px,
            qty=qty,
            text=words,
        )

    def _mass_cancel(self, fields: Mapping[str, Any]) -> Row:
        refuse_unknown_fields(fields, MASS_CANCEL_FIELDS, "mass_cancel")
        account = whole(required(fields, "account"), "account")
        symbol, side = fields.get("symbol"), fields.get("side")
        return row(
            op=Op.MASS_CANCEL,
            session=self.session,
            roles=self.roles,
            account=account,
            side=0 if side is None else word(side, "side", SIDES),
            instrument=ALL_INSTRUMENTS if symbol is None else self._instrument(symbol).instrument_idx,
        )

    def _order(self, fields: Mapping[str, Any]) -> tuple[int, int, int, tuple[int, int, int]]:
        """Return whose order a cancel or replace names: account, both ids, text."""
        account = whole(required(fields, "account"), "account")
        client_order_id, order_id = order_ids(fields)
        if order_id is not None:
            return account, 0, whole(order_id, "order_id"), NO_TEXT
        client_id_word, words = self._client_id(client_order_id, account)
        return account, client_id_word, 0, words

    def _client_id(self, value: object, account: int) -> tuple[int, tuple[int, int, int]]:
        if type(value) is str:
            return client_id(value, str(account) if self.owner is None else self.owner)
        return client_id(value, "")

    def _instrument(self, symbol: object) -> Instrument:
        found = self.catalogue.instrument_by_symbol.get(symbol) if isinstance(symbol, str) else None
        if found is not None:
            return found
        if not isinstance(symbol, str):
            raise MalformedCommand("symbol", symbol, "give a string")
        return self.catalogue.instrument(symbol)

    def _only_instrument(self, account: int, client_order_id: int, order_id: int) -> Instrument | None:
        instruments = self.catalogue.instruments
        return instruments[0] if len(instruments) == 1 else None


def _quantity(
    fields: Mapping[str, Any], instrument: Instrument, qty: int | None, flags: int
) -> tuple[int, int, int]:
    """Return (qty, order_id, flags) of a new order: its quantity, or how the engine chooses one.

    qty : its quantity in lots, None where that is missing or no plain decimal
    """
    size_by, quantity = fields.get("size_by"), fields.get("quantity")
    if size_by is not None:
        if quantity is not None:
            raise MalformedCommand("size_by", size_by, "give quantity or size_by, not both")
        return *sizing_words(size_by, instrument), flags | _SIZED
    if quantity is None:
        raise MalformedCommand("quantity", None, "'new' needs this field, or size_by in its place")
    return instrument.qty(quantity, "quantity") if qty is None else qty, 0, flags


def _trail(instrument: Instrument, value: object, order_type: int) -> int:
    """Return the offset of a trailing stop; anything else has none to carry."""
    if value is None:
        return 0
    if order_type != OrderType.TRAILING_STOP:
        raise RefusedAtDoor(Reason.INVALID_FIELD, "trail", value, "belongs to type trailing_stop alone")
    return _px(instrument, value, "trail")
