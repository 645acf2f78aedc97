"""Administration lines: what there is, what holds for it, phases, marks, rates, time, the day, kills, money.

Each method returns the named fields of its COMMAND record; where they lie in it is said
in `engine.trading.fields`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.trading.fields import (
    BOOK_ORDERS_FIELD,
    DEPOSIT_FIELDS,
    INSTRUMENT_FIELDS,
    INSTRUMENT_LIMIT_FIELDS,
    REPORTING_WORD,
    SYMBOL_BYTES,
)
from engine.trading.instruments import (
    DECIMALS_MAX,
    DEFAULT_CURRENCY_DECIMALS,
    INT64_MAX,
    LOT_DECIMALS_MAX,
    RATE_STEP,
    Catalogue,
    Currency,
    Instrument,
    RefusedAtDoor,
    decimal_from,
    default_maximum,
    mantissa,
    money_scale,
    products_fit,
    steps_from,
)
from engine.trading.records import (
    ALL_INSTRUMENTS,
    LIFTED,
    UNCHANGED,
    CommandFlag,
    Funding,
    Op,
    Phase,
    Reason,
    text_words,
)
from gateways.json_lines.account_limits import ACCOUNT_LIMITS, account_limits, asked_latch, counted
from gateways.json_lines.fields import (
    MalformedCommand,
    flag,
    known_currency,
    refuse_unknown_fields,
    required,
    text,
    whole,
    whole_or,
    word,
    words_of,
)
from gateways.json_lines.groups import group, numbered
from gateways.json_lines.movements import movement
from gateways.json_lines.rules import rules_command
from gateways.json_lines.scopes import instrument_named, killed, lifted

PHASES = words_of(Phase)
PPM = 1_000_000
HALF_BITS = 32
COLLAR_BPS_MAX = 2**31 - 1  # what the record's field carries
CURRENCIES_MAX = 256  # a deposit names its currency in one byte
CURRENCY_IDX_MAX = 127  # an instrument names its currencies in a signed byte

CURRENCY_NAMES = frozenset({"op", "currency", "decimals"})
MARGIN_NAMES = ("initial_margin_ppm", "maintenance_margin_ppm")
INSTRUMENT_NAMES = frozenset({"op", *INSTRUMENT_FIELDS, *MARGIN_NAMES})
ACCOUNT_NAMES = frozenset({"op", "account", "deposit", "unlimited", "reporting_currency", "funding"})
FUNDINGS = words_of(Funding)
ACCOUNT_LIMIT_NAMES = ("group", *ACCOUNT_LIMITS, "on_breach")
LIMITS_NAMES = frozenset({"op", "symbol", "account", *INSTRUMENT_LIMIT_FIELDS, *ACCOUNT_LIMIT_NAMES})
PHASE_NAMES = frozenset({"op", "symbol", "phase"})
MARK_NAMES = frozenset({"op", "symbol", "price"})
RATE_NAMES = frozenset({"op", "currency", "in", "price"})
TIME_NAMES = frozenset({"op", "now"})
SESSION_NAMES = frozenset({"op"})

Content = dict[str, Any]


class Administration:
    """Encodes one administration line; collects the currencies that it brings with it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.new_currencies: list[str] = []

    def currency(self, fields: Mapping[str, Any]) -> Content:
        """A currency with its decimals."""
        refuse_unknown_fields(fields, CURRENCY_NAMES, "currency")
        code = text(required(fields, "currency"), "currency")
        decimals = whole_or(fields, "decimals", DEFAULT_CURRENCY_DECIMALS)
        if not 0 <= decimals <= DECIMALS_MAX:
            raise RefusedAtDoor(Reason.OUT_OF_RANGE, "decimals", decimals, f"must be 0 to {DECIMALS_MAX}")
        return {"op": Op.CURRENCY, "text": text_words(code), "value": decimals}

    def instrument(self, fields: Mapping[str, Any]) -> Content:
        """An instrument: names, steps, range, limits, fees."""
        refuse_unknown_fields(fields, INSTRUMENT_NAMES, "instrument")
        symbol = text(required(fields, "symbol"), "symbol", SYMBOL_BYTES)
        base = self._currency(required(fields, "base"), "base")
        quote = self._currency(required(fields, "quote"), "quote")
        tick, lot = (decimal_from(required(fields, name), name) for name in ("tick_size", "lot_size"))
        tick_mantissa, tick_decimals = mantissa(tick, "tick_size")
        lot_mantissa, lot_decimals = mantissa(lot, "lot_size", LOT_DECIMALS_MAX)
        scale = money_scale(tick, lot, quote)
        shape = Instrument(
            -1,
            symbol.decode(),
            base,
            quote,
            tick_mantissa,
            tick_decimals,
            lot_mantissa,
            lot_decimals,
            scale,
        )
        content: Content = {
            "tick_size": tick_mantissa,
            "lot_size": lot_mantissa,
            "base": base.currency_idx,
            "quote": quote.currency_idx,
            "protect_ticks": _not_negative(fields, "protect_ticks", UNCHANGED),
            "max_price": _limit(fields, "max_price", shape.px, UNCHANGED),
            "max_quantity": _limit(fields, "max_quantity", shape.qty, UNCHANGED),
            **_bounds(fields, shape, LIFTED),
            "collar_bps": _not_negative(fields, "collar_bps", 0, COLLAR_BPS_MAX),
            "maker_fee_ppm": _rate_and_margin(fields, "maker_fee_ppm", "initial_margin_ppm"),
        }
        _refuse_overflow(content["max_price"], content["max_quantity"], scale, fields)
        words = (*text_words(symbol)[:2], _rate_and_margin(fields, "taker_fee_ppm", "maintenance_margin_ppm"))
        record: Content = {INSTRUMENT_FIELDS[name]: value for name, value in content.items()}
        record.update(op=Op.INSTRUMENT, side=tick_decimals, order_type=lot_decimals, text=words)
        return record

    def account(self, fields: Mapping[str, Any]) -> Content:
        """An account, its reporting currency, what it trades on, and money for it."""
        refuse_unknown_fields(fields, ACCOUNT_NAMES, "account")
        record: Content = {
            "op": Op.ACCOUNT,
            "account": whole(required(fields, "account"), "account"),
            "flags": CommandFlag.UNLIMITED if flag(fields, "unlimited") else 0,
        }
        if fields.get("funding") is not None:
            record["side"] = word(fields["funding"], "funding", FUNDINGS)
        words = [0, 0, 0]
        reporting = fields.get("reporting_currency")
        deposit = fields.get("deposit")
        if deposit is not None:
            words[:] = self._deposit(deposit, record)
        if reporting is not None:
            words[REPORTING_WORD] = self._reporting(reporting).currency_idx + 1
        return record | {"text": tuple(words)}

    def _reporting(self, code: object) -> Currency:
        """Return a reporting currency: a known one, or one that the line's deposit brings with it."""
        if code in self.new_currencies:
            return self._currency(code, "reporting_currency")
        return known_currency(self.catalogue, code, "reporting_currency")

    def _deposit(self, deposit: object, record: Content) -> tuple[int, int, int]:
        """Write the amounts of a deposit into the record; return the words that name their currencies."""
        if not isinstance(deposit, dict):
            raise MalformedCommand("deposit", deposit, 'give an object such as {"USD":"1000"}')
        if len(deposit) > len(DEPOSIT_FIELDS):
            detail = f"at most {len(DEPOSIT_FIELDS)} currencies in one line; give the others in a second one"
            raise RefusedAtDoor(Reason.INVALID_FIELD, "deposit", list(deposit)[:8], detail)
        indices = bytearray(len(DEPOSIT_FIELDS))
        for position, (code, amount) in enumerate(deposit.items()):
            currency = self._currency(code, "deposit")
            indices[position] = currency.currency_idx
            record[DEPOSIT_FIELDS[position]] = currency.minor_units(amount, f"deposit.{code}")
        return text_words(bytes(indices))

    def limits(self, fields: Mapping[str, Any]) -> Content:
        """Limits of one instrument, of one account or group, or every account's default."""
        symbol, account = fields.get("symbol"), fields.get("account")
        if symbol is not None:
            known = {"op", "symbol", "max_open_orders", *INSTRUMENT_LIMIT_FIELDS}
            refuse_unknown_fields(fields, LIMITS_NAMES, "limits")
            refuse_unknown_fields(fields, known, "limits of an instrument")
            instrument = instrument_named(self.catalogue, symbol)
            content = {
                "max_quantity": _limit(fields, "max_quantity", instrument.qty, UNCHANGED, LIFTED),
                **_bounds(fields, instrument, UNCHANGED, LIFTED),
            }
            record: Content = {INSTRUMENT_LIMIT_FIELDS[name]: value for name, value in content.items()}
            if "max_open_orders" in fields:
                most = fields["max_open_orders"]
                record[BOOK_ORDERS_FIELD] = LIFTED if most is None else 1 + counted(most, "max_open_orders")
            return {"op": Op.LIMITS, "instrument": instrument.instrument_idx, **record}
        refuse_unknown_fields(fields, LIMITS_NAMES, "limits")
        known = {"op", "symbol", "account", *ACCOUNT_LIMIT_NAMES}
        refuse_unknown_fields(fields, known, "limits of an account")
        if account is None and "account" in fields:
            mend = "give a number; left out, the limits are every account's default"
            raise MalformedCommand("account", None, mend)
        if fields.get("group") is not None:
            if account is not None:
                raise MalformedCommand("group", fields["group"], "give `account` or `group`, not both")
            whose, flags = numbered(fields["group"], "group"), int(CommandFlag.OF_GROUP)
        else:
            whose, flags = 0 if account is None else whole(account, "account"), 0
        return {"account": whose, "flags": flags, "instrument": ALL_INSTRUMENTS, **account_limits(fields)}

    def phase(self, fields: Mapping[str, Any]) -> Content:
        """A trading phase, of one instrument or of all."""
        refuse_unknown_fields(fields, PHASE_NAMES, "phase")
        value = word(required(fields, "phase"), "phase", PHASES)
        symbol = fields.get("symbol")
        named = None if symbol is None else instrument_named(self.catalogue, symbol)
        instrument = ALL_INSTRUMENTS if named is None else named.instrument_idx
        return {"op": Op.PHASE, "instrument": instrument, "value": value}

    def mark(self, fields: Mapping[str, Any]) -> Content:
        """A mark price."""
        refuse_unknown_fields(fields, MARK_NAMES, "mark")
        instrument = instrument_named(self.catalogue, required(fields, "symbol"))
        px = instrument.px(required(fields, "price"))
        return {"op": Op.MARK, "instrument": instrument.instrument_idx, "px": px}

    def rate(self, fields: Mapping[str, Any]) -> Content:
        """A rate of exchange: what one of a currency is in another."""
        refuse_unknown_fields(fields, RATE_NAMES, "rate")
        currency, into = (
            known_currency(self.catalogue, required(fields, name), name).currency_idx
            for name in ("currency", "in")
        )
        if currency == into:
            raise RefusedAtDoor(
                Reason.INVALID_FIELD, "in", fields["in"], "give another currency than `currency`"
            )
        price = steps_from(required(fields, "price"), RATE_STEP, "price", Reason.OUT_OF_RANGE)
        return {"op": Op.RATE, "time_in_force": currency, "stp_mode": into, "px": price}

    def time(self, fields: Mapping[str, Any]) -> Content:
        """The engine clock of a replay."""
        refuse_unknown_fields(fields, TIME_NAMES, "time")
        return {"op": Op.TIME, "value": whole(required(fields, "now"), "now")}

    def session_end(self, fields: Mapping[str, Any]) -> Content:
        """The end of the trading day."""
        refuse_unknown_fields(fields, SESSION_NAMES, "session_end")
        return {"op": Op.SESSION_END}

    def session_start(self, fields: Mapping[str, Any]) -> Content:
        """The start of the trading day, from which daily losses are measured."""
        refuse_unknown_fields(fields, SESSION_NAMES, "session_start")
        return {"op": Op.SESSION_START}

    def kill(self, fields: Mapping[str, Any]) -> Content:
        """A kill switch: of an order, an account, a group, an instrument or the venue."""
        return {"op": Op.KILL, **killed(self.catalogue, fields)}

    def reset_latch(self, fields: Mapping[str, Any]) -> Content:
        """The end of a kill, named as it was, or of what limits of an account or a group latched."""
        return {"op": Op.RESET_LATCH, **lifted(self.catalogue, fields), **asked_latch(fields)}

    def group(self, fields: Mapping[str, Any]) -> Content:
        """Which accounts are in a group."""
        return group(fields)

    def deposit(self, fields: Mapping[str, Any]) -> Content:
        """Money for an account, once by its id."""
        return movement(self.catalogue, fields, Op.DEPOSIT)

    def withdraw(self, fields: Mapping[str, Any]) -> Content:
        """Money out of an account, once by its id."""
        return movement(self.catalogue, fields, Op.WITHDRAW)

    def transfer(self, fields: Mapping[str, Any]) -> Content:
        """Money from one account to another, either may be the fee account; once by its id."""
        return movement(self.catalogue, fields, Op.TRANSFER)

    def rules(self, fields: Mapping[str, Any]) -> Content:
        """A set of rules registered, activated or taken back, or a param of a rule."""
        return rules_command(self.catalogue, fields)

    def _currency(self, code: object, name: str) -> Currency:
        """Return a currency; an unknown one takes the next index (exchange rule S1: 6 decimals)."""
        text(code, name)
        assert isinstance(code, str)
        known = self.catalogue.currency_by_code.get(code)
        if known is not None:
            return known
        if code not in self.new_currencies:
            self.new_currencies.append(code)
        currency_idx = len(self.catalogue.currencies) + self.new_currencies.index(code)
        highest = CURRENCIES_MAX - 1 if name == "deposit" else CURRENCY_IDX_MAX
        if currency_idx > highest:
            raise RefusedAtDoor(Reason.CURRENCIES_FULL, name, code, f"no more than {highest + 1} currencies")
        return Currency(currency_idx, code, DEFAULT_CURRENCY_DECIMALS)


ADMINISTRATION: dict[str, Callable[[Administration, Mapping[str, Any]], Content]] = {
    "currency": Administration.currency,
    "instrument": Administration.instrument,
    "account": Administration.account,
    "limits": Administration.limits,
    "phase": Administration.phase,
    "mark": Administration.mark,
    "rate": Administration.rate,
    "time": Administration.time,
    "session_end": Administration.session_end,
    "session_start": Administration.session_start,
    "kill": Administration.kill,
    "reset_latch": Administration.reset_latch,
    "group": Administration.group,
    "deposit": Administration.deposit,
    "withdraw": Administration.withdraw,
    "transfer": Administration.transfer,
    "rules": Administration.rules,
}


def _rate_and_margin(fields: Mapping[str, Any], rate: str, margin: str) -> int:
    """Return the word that carries a fee rate in its lower half, a margin above it (0: left out)."""
    ppm, part = whole_or(fields, rate, 0), fields.get(margin)
    if part is not None and not 1 <= whole(part, margin) <= PPM:
        raise RefusedAtDoor(
            Reason.OUT_OF_RANGE, margin, part, f"must be 1 to {PPM}; left out it is the whole"
        )
    if not -(2**31) <= ppm < 2**31:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, rate, ppm, f"must be -{PPM} to {PPM}")
    return ppm + ((part or 0) << HALF_BITS)


def _limit(
    fields: Mapping[str, Any],
    name: str,
    convert: Callable[[object, str], int],
    absent: int,
    null: int | None = None,
) -> int:
    """Return a limit in the engine's unit; `absent` when left out, `null` when null (lifted)."""
    if name not in fields:
        return absent
    value = fields[name]
    if value is None:
        return absent if null is None else null
    return convert(value, name)


def _bounds(fields: Mapping[str, Any], shape: Instrument, absent: int, null: int | None = None) -> Content:
    """Return the bounds that an instrument line and a limits line share."""
    return {
        "max_notional": _limit(fields, "max_notional", shape.quote.minor_units, absent, null),
        "band_low": _limit(fields, "band_low", shape.px, absent, null),
        "band_high": _limit(fields, "band_high", shape.px, absent, null),
    }


def _not_negative(fields: Mapping[str, Any], name: str, absent: int, highest: int = INT64_MAX) -> int:
    value = fields.get(name)
    if value is None:
        return absent
    number = whole(value, name)
    if not 0 <= number <= highest:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, number, f"must be 0 to {highest}")
    return number


def _refuse_overflow(px_max: int, qty_max: int, scale: int, fields: Mapping[str, Any]) -> None:
    """Refuse a range whose products would not fit (exchange rule S1)."""
    if px_max == qty_max == UNCHANGED:
        return
    # Of a pair of which one is left out, the engine lowers that one until the product fits.
    px_used = 1 if px_max == UNCHANGED else px_max
    qty_used = 1 if qty_max == UNCHANGED else qty_max
    if products_fit(px_used, qty_used, scale):
        return
    name = "max_price" if px_max != UNCHANGED else "max_quantity"
    detail = (
        f"max_price x max_quantity ({px_used} ticks x {qty_used} lots x {scale}) must be positive and below "
        f"2**62, max_price at most 2**40 ticks; left out, both are {default_maximum(scale)}"
    )
    raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, fields.get(name), detail)
