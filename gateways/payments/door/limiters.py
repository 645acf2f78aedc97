"""What one key, and all keys together, may ask of a door: a rate, requests in flight, and a part kept free.

    401 -> rate and requests in flight of the key: RATE -> 405 -> requests in flight of all: BUSY -> body

A key may ask `burst` at once and `per_second` from then on, as the generic cell rate algorithm says by one
number a key: the moment up to which what came has used the rate up. It is kept in nanoseconds times the rate,
whole, so nothing is rounded. In a fleet all doors share the rate of a key: a door takes of its allowance, and
where nobody renews that, the rate over the number of instances is its own. Of all in flight a fifth is kept
for what releases, takes or gives back what is held, and for acts about rules. Only keys that exist are known
here, and nothing grows.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.payments.codes import Code
from engine.settings.config import DoorSettings
from gateways.payments.door.allowances import FLEET_RATE, DoorAllowance, allowances_of
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.routes import CHANGES_RULES, PaymentAsk

log = logging.getLogger("pinion.doors")

RATE = int(Code["RATE"])
NS_PER_S = 1_000_000_000
KEPT_PART = 5
"""One of so many places of all in flight is kept."""
MAY_USE_KEPT = frozenset(
    (PaymentAsk.CAPTURE, PaymentAsk.VOID, PaymentAsk.REFUND, PaymentAsk.REVERSE, *CHANGES_RULES)
)
COUNTS = ("over_rate", "over_concurrency", "over_load")
"""Of each door: requests that were beyond a bound, whether they were refused or let pass."""
WITHOUT_STORE = {"local": None, "decline": False, "allow": True}
NO_LIMITS: Mapping[str, Any] = {"rate": None, "concurrency": None, "shedding": None}
_OFF: Mapping[str, Any] = {
    "per_second": 0, "burst": 1, "per_key": sys.maxsize, "max_in_flight": sys.maxsize, "log_only": False,
}  # fmt: skip


class _KeyUse:
    """What a key uses: up to when its rate is used up, how many are in flight, what was beyond a bound."""

    __slots__ = ("in_flight", "name", "over_concurrency", "over_rate", "used_up_to")

    def __init__(self, name: str) -> None:
        self.name = name
        self.used_up_to = 0
        self.in_flight = 0
        self.over_rate = 0
        self.over_concurrency = 0


class Limiters:
    """The limiters of one door.

    settings : of [payments.rate], [payments.concurrency] and [payments.shedding], each None where it is off
    clock_ns : never goes back
    allowance : of this door, where a fleet of so many instances shares the rate
    """

    def __init__(
        self,
        owners: Iterable[KeyOwner],
        settings: Mapping[str, Any] = NO_LIMITS,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        allowance: DoorAllowance | None = None,
        instances: int = 1,
    ) -> None:
        rate, concurrency, shedding = (settings[name] or _OFF for name in NO_LIMITS)
        self._clock_ns = clock_ns
        self._uses = {owner.session: _KeyUse(owner.name) for owner in owners}
        self._per_second: int = rate["per_second"]
        self._cost = instances * NS_PER_S
        self._ahead: int = (max(1, rate["burst"] // instances) - 1) * self._cost
        self._allowance = allowance
        self._rate_refuses = not rate["log_only"]
        self._per_key: int = concurrency["per_key"]
        self._concurrency_refuses = not concurrency["log_only"]
        self._all: int = shedding["max_in_flight"]
        self._open_to_all = self._all - self._all // KEPT_PART
        self._load_refuses = not shedding["log_only"]
        self._in_flight = 0
        self._over_load = 0
        self._reported_ns = 0

    def enter(self, session: int) -> bool:
        """Take a request of a key in; False: it is refused with RATE. One that is in leaves once."""
        use = self._uses[session]
        if self._per_second and not self._is_within_rate(use):
            use.over_rate += 1
            if self._rate_refuses:
                return False
        if use.in_flight >= self._per_key:
            use.over_concurrency += 1
            if self._concurrency_refuses:
                return False
        use.in_flight += 1
        self._in_flight += 1
        return True

    def _is_within_rate(self, use: _KeyUse) -> bool:
        if self._allowance is not None:
            granted = self._allowance.take(use.name)
            if granted is not None:
                return granted
        now = self._clock_ns() * self._per_second
        up_to = use.used_up_to
        if now < up_to - self._ahead:
            return False
        use.used_up_to = (up_to if up_to > now else now) + self._cost
        return True

    def has_room(self, ask: PaymentAsk) -> bool:
        """Tell whether a request that is in may be worked on; False: it is refused with BUSY."""
        if self._in_flight <= self._open_to_all:
            return True
        if ask in MAY_USE_KEPT and self._in_flight <= self._all:
            return True
        self._over_load += 1
        return not self._load_refuses

    def leave(self, session: int) -> None:
        """Let a request go that is answered."""
        self._uses[session].in_flight -= 1
        self._in_flight -= 1

    def report(self, add: Callable[[str, int], None]) -> None:
        """Once a second at most, log what was beyond a bound since the last time, and add it to the counters.

        add : adds to a counter of COUNTS
        """
        now = self._clock_ns()
        if now - self._reported_ns < NS_PER_S:
            return
        self._reported_ns = now
        for use in self._uses.values():
            if use.over_rate:
                self._tell(use.name, use.over_rate, "payments.rate", self._rate_refuses)
                add("over_rate", use.over_rate)
            if use.over_concurrency:
                self._tell(use.name, use.over_concurrency, "payments.concurrency", self._concurrency_refuses)
                add("over_concurrency", use.over_concurrency)
            use.over_rate = use.over_concurrency = 0
        if self._over_load:
            self._tell("", self._over_load, "payments.shedding", self._load_refuses)
            add("over_load", self._over_load)
            self._over_load = 0

    def _tell(self, key: str, count: int, setting: str, refuses: bool) -> None:
        whose = f" of key {key!r}" if key else ""
        became = "refused" if refuses else "let pass, for log_only is set"
        log.warning("%d requests%s beyond %s were %s", count, whose, setting, became)


def limiters_of(door: DoorSettings, owners: Iterable[KeyOwner]) -> Limiters:
    """Return the limiters of a door as its settings say them: alone, or with a rate that a fleet shares."""
    limits, allowances = door.application["limits"], allowances_of(door)
    if allowances is None:
        return Limiters(owners, limits)
    told = door.application[FLEET_RATE]
    allowance = DoorAllowance(allowances, door.name, WITHOUT_STORE[told["on_store_down"]])
    return Limiters(owners, limits, allowance=allowance, instances=told["instances"])
