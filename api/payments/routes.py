"""The GET routes under /v1: a list of payments out of history, and how the instance is."""

import re

from aiohttp import web

from api.payments.past import PaymentFilter, PaymentsPast
from api.payments.readers import Reader, reader_of, require_reads_all
from api.process.callers import CALLER
from api.process.documents import answer
from api.process.live import DurableSource
from api.process.parameters import (
    INT64_MAX,
    PAGE,
    PAGE_MAX,
    account_number,
    allow_only,
    moment_ns,
    query_cursor,
    query_limit,
    whole_number,
)
from api.process.past import no_history
from api.process.problem import bad_request
from api.process.status import StatusReport
from engine.payments.codes import BY_NAME, DECLINED
from engine.payments.view.live_view import LiveView
from engine.payments.view.past_rows import past_payment
from engine.text import numbers
from gateways.payments.replies import Replies

NS_PER_MS = 1_000_000
MS_MAX = 10**14
"""Later than any payment; a time in a finer unit is beyond it."""
FILTERS = ("account", "merchant", "code", "from", "to", "limit", "cursor")
MERCHANT = re.compile(r"[A-Za-z0-9._:-]{1,24}")


class PaymentQueries:
    """Handlers of the routes; past : None where the instance keeps no history."""

    def __init__(
        self,
        view: LiveView,
        source: DurableSource[LiveView],
        status: StatusReport,
        replies: Replies,
        past: PaymentsPast | None,
    ) -> None:
        self._view = view
        self._source = source
        self._status = status
        self._replies = replies
        self._past = past

    def routes(self) -> list[web.RouteDef]:
        """Return every route of this file."""
        return [
            web.get("/v1/payments", self.payments),
            web.get("/v1/status", self.status),
            web.get("/v1/latency", self.latency),
        ]

    async def payments(self, request: web.Request) -> web.Response:
        """Page through payments, newest first."""
        reader = reader_of(request[CALLER])
        allow_only(request, FILTERS)
        disclosed = await self._source.read(self._view.disclosures) if reader.hides else {}
        wanted = _filter(request, reader, tuple(disclosed))
        limit, before = query_limit(request, PAGE, PAGE_MAX), query_cursor(request, INT64_MAX)
        if self._past is None:
            raise no_history("a list of payments")
        if before == INT64_MAX and wanted.end is None:  # who was answered finds its payment
            await self._past.until_followed(self._source.durable_seq())
        page = await self._past.payments(wanted, before, limit)
        await self._source.until_durable(page.as_of_seq)
        shown = [
            self._replies.of_view(
                past_payment(row, disclosed.get((row["merchant"], row["code"]), 0)), hides=reader.hides
            ).reply
            for row in page.rows
        ]
        next_cursor = str(page.rows[-1]["payment"]) if len(page.rows) == limit else None
        return answer({"payments": shown, "next_cursor": next_cursor, "as_of_seq": page.as_of_seq})

    async def status(self, request: web.Request) -> web.Response:
        """Return processes, rings, durability, lag, rates and capacities."""
        require_reads_all(request[CALLER])
        allow_only(request, ())
        return answer(self._status.document())

    async def latency(self, request: web.Request) -> web.Response:
        """Return a histogram per stage."""
        require_reads_all(request[CALLER])
        allow_only(request, ())
        return answer(self._status.latency())


def _filter(request: web.Request, reader: Reader, hidden: tuple[tuple[str, int], ...]) -> PaymentFilter:
    """Return what is asked for, of what the reader may read."""
    query = request.query
    merchant, account, name = query.get("merchant"), query.get("account"), query.get("code")
    if merchant is not None and MERCHANT.fullmatch(merchant) is None:
        raise bad_request("merchant", merchant, "must be 1 to 24 of A-Z, a-z, 0-9 and . _ : -")
    is_hidden = reader.hides and name == DECLINED
    if name is not None and name not in BY_NAME and not is_hidden:
        raise bad_request("code", name, "must be a reply code such as OK or FUNDS")
    return PaymentFilter(
        merchants=reader.narrowed(merchant),
        account=None if account is None else account_number(account),
        code=BY_NAME[name].number if name in BY_NAME else None,
        is_hidden=is_hidden,
        hidden=hidden,
        begin=_time_ms(request, "from"),
        end=_time_ms(request, "to"),
    )


def _time_ms(request: web.Request, name: str) -> int | None:
    """Return a time in ms since 1970, given so or as a date and time; None where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if numbers.whole(text) is not None:
        return whole_number(text, name, 0, MS_MAX)
    return -(-moment_ns(text, name, "ms since 1970") // NS_PER_MS)
