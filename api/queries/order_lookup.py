"""One order by its address: from live state, the window of client ids, or history.

    engine id     live orders -> history
    client id     under the asking key, then under every other that may name it:
                      live orders and ended ones in the window -> all of it from history, where there is one
                  live orders of that text, whoever gave it
                  history, once the window has forgotten ids

Nothing here tells an order of somebody else from one that does not exist.
"""

from collections.abc import Sequence

from api.documents import ended_order_document, order_document
from api.past.queries import PastQueries
from api.process.access import may_read
from api.process.documents import Document
from api.process.problem import ApiProblem
from api.streams.hub import Hub
from engine.settings.config import Key
from engine.trading.client_ids import named_by, text_bytes
from engine.trading.instruments import Instrument
from engine.trading.records import Status
from engine.trading.view.records import EndedOrder, OrderView

OPEN = Status.OPEN.name.lower()


class OrderLookup:
    """The look-up of single orders for callers.

    keys : every key there is: a text is an id of the key that gave it
    """

    def __init__(self, hub: Hub, past: PastQueries | None, keys: Sequence[Key]) -> None:
        self._hub = hub
        self._source = hub.source
        self._past = past
        self._keys = keys

    async def by_order_id(self, caller: Key, order_id: int) -> Document | None:
        """Return an order of the caller's accounts, None where it has no such order."""
        live = await self._source.order(order_id)
        if live is not None and may_read(caller, live.account):
            return order_document(live)
        ended = None if self._past is None else await self._past.order(order_id)
        return ended if ended is not None and may_read(caller, ended["account"]) else None

    async def by_client_id(self, caller: Key, account: int, given: int | str) -> Document | None:
        """Return the order of an account, which the caller may read, by its client id; None where none is."""
        numbers = [number for _, number in named_by(given, account, caller.name, self._keys)]
        for number in numbers:
            found = await self._source.client_order(account, number)
            if isinstance(found, OrderView):
                return order_document(found)
            if isinstance(found, EndedOrder):
                return await self._ended(found, given)
        if isinstance(given, str):
            live = await self._source.orders(account)
            for order in live.orders if live else ():
                if order.text == given.encode():
                    return order_document(order)
        used, capacity = self._source.view.capacity_use()["client_ids"]
        if self._past is None or used < capacity:
            return None  # the window has forgotten nothing: there is no such order
        text = text_bytes(given) if isinstance(given, str) else None
        return await self._past.client_order(account, numbers, text)

    async def _ended(self, found: EndedOrder, given: int | str) -> Document:
        """Return all of an order that ended, or what the window knows of it while history cannot tell."""
        if self._past is not None:
            try:
                document = await self._past.order(found.order_id)
            except ApiProblem:
                document = None  # the database is down: trading goes on, and so do we
            if document is not None and document["status"] != OPEN:
                return document
        symbol, instrument = await self._instrument_of(found)
        return ended_order_document(found, given, symbol, instrument)

    async def _instrument_of(self, ended: EndedOrder) -> tuple[str | None, Instrument | None]:
        """Return the symbol of an order that ended and an instrument of its lots, None where unknown.

        The window does not say. Its last report does, as far back as those are kept; an account has a
        position, if only of nothing, in every instrument that it ever had an order in.
        """
        event = self._hub.reports.last_of_order(ended.order_id)
        if event is not None:
            instrument = self._source.view.catalogue.instruments[int(event["instrument"])]
            return instrument.symbol, instrument
        account = await self._source.account(ended.account)
        traded = [position.instrument for position in account.positions] if account else []
        lots = {(each.lot_mantissa, each.lot_decimals) for each in traded}
        return traded[0].symbol if len(traded) == 1 else None, traded[0] if len(lots) == 1 else None
