"""Pages of payments of the past, in order of their number, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.process.past import ListKey, Page, PastReads, Where
from engine.payments.view.past_rows import COLUMNS

PAYMENT_KEY = ListKey("payment", "ts_ms", "seq")
HIDDEN = "EXISTS (SELECT FROM unnest({names}::text[], {codes}::int[]) h (name, code) " + (
    "WHERE h.name = p.merchant AND h.code = p.code)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """The filter that narrows the list; None = all. Times in ms, begin included, end not.

    hidden : pairs of merchant and code that do not count as that code, but as DECLINED
    """

    merchants: Sequence[str] | None = None
    account: int | None = None
    code: int | None = None
    is_hidden: bool = False
    hidden: Sequence[tuple[str, int]] = ()
    begin: int | None = None
    end: int | None = None


class PaymentsPast(PastReads):
    """Payments of the projected database."""

    moment_time = "ts_ms"
    narrower = "an account, a merchant or a time"
    goes_on = "payments go on"

    async def payments(self, wanted: PaymentFilter, before: int, limit: int) -> Page:
        """Return payments with numbers below `before`."""
        async with self.snapshot() as (connection, as_of_seq):
            where = await self._where(connection, wanted, before)
            where.values.append(limit)
            newest = f"ORDER BY payment DESC LIMIT ${len(where.values)}"
            select = f"SELECT {', '.join(COLUMNS)} FROM payments p WHERE {where}"
            query = f"{select} {newest}"
            if wanted.merchants is not None:
                # Each merchant's newest by its own index; those of all are among them.
                where.values.append(list(wanted.merchants))
                own = f"{select} AND merchant = m.name"
                query = (
                    f"SELECT page.* FROM unnest(${len(where.values)}::text[]) m (name) "
                    f"CROSS JOIN LATERAL ({own} {newest}) page {newest}"
                )
            rows = await connection.fetch(query, *where.values)
        return Page(as_of_seq, rows)

    async def _where(self, connection: Any, wanted: PaymentFilter, before: int) -> Where:
        where = Where()
        where.add("payment < $?", before)
        if wanted.account is not None:
            where.add("account = $?", wanted.account)
        if wanted.code is not None:
            where.add("code = $?", wanted.code)
        if wanted.is_hidden or (wanted.code is not None and wanted.hidden):
            names, codes = [name for name, _ in wanted.hidden], [code for _, code in wanted.hidden]
            where.values += [names, codes]
            count = len(where.values)
            hidden = HIDDEN.format(names=f"${count - 1}", codes=f"${count}")
            where.conditions.append(hidden if wanted.is_hidden else f"NOT {hidden}")
        await self.add_times(connection, where, PAYMENT_KEY, wanted.begin, wanted.end)
        return where
