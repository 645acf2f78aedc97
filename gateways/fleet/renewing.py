"""A round of renewing allowances: what doors have used is leased again from the store, in advance.

Each door has a stock for each key: its part of the burst and of what comes in a fifth of a second, and more
where it was asked since the last round. All of it was granted by the store at one rate for the fleet. So a
request never waits, and all doors together let through what one with that rate would, and a little ahead.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gateways.fleet.moving import Store, read_answer
from gateways.fleet.scripts.rates import RATE, grants_of
from gateways.payments.door.allowances import ASKED, GRANTED, USED, Allowances

AHEAD_PARTS = 5
"""One in so many parts of what comes in a second is leased in advance."""


class Renewer:
    """Renews the allowances of one instance.

    rate : per_second, burst and instances, as the configuration says them
    """

    def __init__(
        self,
        *,
        allowances: Allowances,
        store: Store,
        fleet: str,
        rate: Mapping[str, Any],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._allowances = allowances
        self._store = store
        self._fleet = fleet
        self._clock_ns = clock_ns
        takers = rate["instances"] * len({door for door, _ in allowances.rows})
        self._per_second: int = rate["per_second"]
        self._ahead: int = max(1, self._per_second // AHEAD_PARTS)
        self._stock: int = max(1, rate["burst"] // takers) + self._ahead // takers
        self._asked = {row: allowances.look(row, ASKED) for row in allowances.rows.values()}

    async def round(self) -> None:
        """Lease what is missing; raise StoreDownError."""
        await self._store.connect()
        wanted = {pair: self._wanted(row) for pair, row in self._allowances.rows.items()}
        wanted = {pair: count for pair, count in wanted.items() if count > 0}
        told = [part for (_, key), count in wanted.items() for part in (key, count)]
        key = f"pinion:{{{self._fleet}}}:{self._store.run_id}:rates"
        (answer,) = await self._store.ask([(RATE, (key,), (self._per_second, self._ahead, *told))])
        for pair, granted in zip(wanted, read_answer(grants_of, answer), strict=True):
            self._allowances.add(self._allowances.rows[pair], GRANTED, granted)
        self._allowances.renew(self._clock_ns())

    def _wanted(self, row: int) -> int:
        """Return how many requests a door lacks of a key."""
        asked = self._allowances.look(row, ASKED)
        lately, self._asked[row] = asked - self._asked[row], asked
        left = self._allowances.look(row, GRANTED) - self._allowances.look(row, USED)
        return self._stock + min(2 * lately, self._ahead) - left
