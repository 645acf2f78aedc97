"""Replay against a service over HTTP: each request in its turn, its answer held against the captured one."""

from collections.abc import Iterable, Iterator

from gateways.payments.door.routes import PAYMENTS, PaymentAsk, route_of
from pinion.parity.answers import PAYMENT, ServiceAnswer, answer_of, captured_answer, differences
from pinion.parity.asking.service import Service, is_stamped, stamped
from pinion.parity.coverage import cells_of_answer
from pinion.parity.pairs import Pair, is_read
from pinion.parity.steps import Compared, Step

NOBODYS = "99999999999"
"""The number of a payment that there is not, as long as an id may have it."""


class Ids:
    """Which payment there is which one here: one of each, both ways."""

    def __init__(self) -> None:
        self._here: dict[str, str] = {}
        self._there: dict[str, str] = {}
        self._prefixes: tuple[str, str] | None = None

    def learn(self, there: str, here: str) -> None:
        """Note that two answers to one request name these; what is known stays."""
        if there not in self._here and here not in self._there:
            self._here[there], self._there[here] = here, there
            if self._prefixes is None:
                self._prefixes = there.rpartition("-")[0], here.rpartition("-")[0]

    def here(self, there: str) -> str:
        """Return the id that a payment has here; of an unknown one an id that no payment has here."""
        known = self._here.get(there)
        if known is not None:
            return known
        prefix, dash, number = there.rpartition("-")
        if self._prefixes and dash and prefix == self._prefixes[0] and number.isdigit():
            return f"{self._prefixes[1]}-{NOBODYS}"
        return there


class Against:
    """A service that a capture is played to; stamps : as for a replay in process."""

    def __init__(self, service: Service, *, stamps: bool) -> None:
        self._service = service
        self._stamps = stamps
        self.ids = Ids()

    def set_up(self, lines: bytes) -> None:
        """Carry out lines of set-up."""
        self._service.set_up(lines)

    def replay(self, pairs: Iterable[Pair]) -> Iterator[Step]:
        """Play pairs; yield what becomes of each."""
        for pair in pairs:
            new = answer_of(*self._asked(pair, self._path(pair)), pair.route.ask)
            old = captured_answer(pair)
            if old is None:
                yield Step(unanswered=1)
                continue
            self._learn(old, new)
            fields = differences(old, new, self.ids.here)
            cells = cells_of_answer(pair.route.ask, pair.request, new)
            if fields:
                yield Step(different=[Compared(pair, old, new, fields)], cells=cells)
            else:
                yield Step(equal=1, cells=cells)

    def answered(self, pair: Pair) -> Pair:
        """Return the request as this service is asked it, with what it answers."""
        path = self._path(pair)
        status, reply = self._asked(pair, path)
        old = captured_answer(pair)
        if old is not None:
            self._learn(old, answer_of(status, reply, pair.route.ask))
        route = route_of(pair.method, path)
        return pair._replace(path=path, route=route, status=status, reply=reply)

    def _asked(self, pair: Pair, path: str) -> tuple[int, bytes]:
        body = stamped(pair.request, pair.at_ms) if self._stamps and is_stamped(pair) else pair.request
        return self._service.ask(pair, path, body)

    def _learn(self, old: ServiceAnswer, new: ServiceAnswer) -> None:
        """Note which payment the answers to one request name."""
        there, here = ((each.document or {}).get(PAYMENT) for each in (old, new))
        if isinstance(there, str) and isinstance(here, str) and "NOT_FOUND" not in (old.code, new.code):
            self.ids.learn(there, here)

    def _path(self, pair: Pair) -> str:
        """Return the address here."""
        ask, name = pair.route
        if not name or ask == PaymentAsk.ACCOUNT:
            return pair.path
        here = f"{PAYMENTS}/{self.ids.here(name)}"
        return here if is_read(pair.route) else f"{here}/{ask.name.lower()}"
