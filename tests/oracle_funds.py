"""The oracle's buying power: what an order may pay, and what it may bring in (exchange rule S3, step 18).

Part of the naive exchange of oracle.py.
"""

from typing import TYPE_CHECKING

from tests.oracle_accounts import Account
from tests.oracle_market import LIMIT_OF_NUMBERS, Instrument, Refused

if TYPE_CHECKING:
    from tests.oracle import Exchange


def check_payment(exchange: "Exchange", account: Account, instrument: Instrument, more: int) -> None:
    """Step 18 of a buy: `more` money must be free, and no sum may pass the largest number."""
    currency = instrument.quote
    if not account.unlimited and not account.on_margin and more > account.available(currency):
        raise Refused("insufficient_funds")
    reserved = account.reserved(currency) + more
    if reserved > LIMIT_OF_NUMBERS or account.money.get(currency, 0) - reserved < -LIMIT_OF_NUMBERS:
        raise Refused("overflow")
    check_value(exchange, account, instrument, more)


def check_proceeds(exchange: "Exchange", account: Account, instrument: Instrument, more: int) -> None:
    """Step 18 of a sell: what may come in must not pass the largest balance."""
    currency = instrument.quote
    coming = account.selling(currency) + more
    if coming > LIMIT_OF_NUMBERS or account.money.get(currency, 0) + coming > LIMIT_OF_NUMBERS:
        raise Refused("overflow")
    check_value(exchange, account, instrument, more)


def check_value(exchange: "Exchange", account: Account, instrument: Instrument, more: int) -> None:
    """A position's cost and realised profit stay within the largest number, whatever fills."""
    held, currency = account.position(instrument), instrument.quote
    at_risk = account.reserved(currency) + account.selling(currency) + more
    if held.cost + abs(held.realised) + at_risk > LIMIT_OF_NUMBERS:
        raise Refused("overflow")
    check_house(exchange, currency, more)


def check_house(exchange: "Exchange", currency: str, more: int) -> None:
    """The fees of one order are at most what it pays or gets."""
    if abs(exchange.fees[currency]) + more > LIMIT_OF_NUMBERS:
        raise Refused("overflow")
