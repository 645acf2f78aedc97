"""Reports: events as the JSON objects of interface R3, for replies and for sessions."""

import msgspec

from engine.trading.records import EventKind
from gateways.json_lines import EventFormatter
from gateways.json_lines.events import Accounts, EventWords, readable

TRADES_KEPT = 1024
TRADE = int(EventKind.TRADE)
_encode = msgspec.json.Encoder().encode


class Reports:
    """Events as JSON objects of interface R3, each written once however many hear of it.

    A trade is in the taker's reply and goes to the maker's session, often at the same time. A reader
    sees of either side what its accounts allow: that makes four forms at most.
    """

    def __init__(self, formatter: EventFormatter) -> None:
        self.formatter = formatter
        self._trades: dict[tuple[int, bool, bool], msgspec.Raw] = {}

    def of(self, event: EventWords, accounts: Accounts) -> msgspec.Raw | None:
        """Return the event as JSON for a reader of `accounts`, None for the internal DONE."""
        if event.kind != TRADE:
            fields = self.formatter.fields_of(event)
            return None if fields is None else msgspec.Raw(_encode(readable(fields, accounts)))
        sees_taker = accounts is None or event.account in accounts
        sees_maker = accounts is None or event.maker_account in accounts
        form = event.event_idx, sees_taker, sees_maker
        known = self._trades.get(form)
        if known is None:
            if len(self._trades) >= TRADES_KEPT:
                self._trades.clear()
            trade = self.formatter.trade(event, sees_maker, sees_taker)
            known = self._trades[form] = msgspec.Raw(_encode(trade))
        return known
