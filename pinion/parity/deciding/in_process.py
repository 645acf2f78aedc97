"""Replay in this process: pairs become records, an engine decides them, words are held against words.

    pairs -> encode -> link -> decide -> compare

A payment has another id here than it had there. The command that made it is known before it is decided, so
that later requests on it are linked by number; only where an answer names a payment that no request of the
capture made, or a request reads the state, is everything before decided first. Where words differ, or an
answer has none, the answers are compared as documents.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from engine.payments.capacities import Capacities
from engine.payments.records import EventKind
from gateways.payments.door.routes import PaymentAsk
from gateways.payments.hashing import Hasher
from gateways.payments.setup_lines import setup_lines
from pinion.parity.answers import ServiceAnswer, captured_answer, differences
from pinion.parity.coverage import cells_of
from pinion.parity.deciding.encoding import Encoded, Encoder
from pinion.parity.deciding.engine import PrivateEngine, Records
from pinion.parity.deciding.expected import LOOKED_AT, not_done, unlike
from pinion.parity.deciding.reading import NOBODY
from pinion.parity.deciding.replies import EngineReplies, answer_of_lines
from pinion.parity.deciding.second import SecondProcess, Source, batches, is_of_second
from pinion.parity.pairs import READS, Pair
from pinion.parity.steps import Compared, Step


class InProcess:
    """An engine that a capture is played to; settings : the command that tells it its rules."""

    def __init__(
        self, settings: Records, capacities: Capacities, instance: str, hasher: Hasher, *, stamps: bool
    ) -> None:
        self.engine = PrivateEngine(settings, capacities)
        self.encoder = Encoder(hasher, stamps=stamps)
        self._hasher = hasher
        self._answering = EngineReplies(self.engine, instance)
        self._numbers: dict[str, int] = {}
        """Id of a payment there -> its number here."""
        self._taken: set[int] = set()

    def set_up(self, lines: bytes) -> None:
        """Carry out lines of set-up; raise SetupFault."""
        judged = setup_lines(lines, self._hasher)
        if judged:
            self.engine.decide(np.concatenate([line.records for line in judged]))

    def replay(self, pairs: Iterable[Pair]) -> Iterator[Step]:
        """Play pairs; yield what becomes of some at a time."""
        for batch in batches(iter(pairs)):
            yield from self.decide(self.encoder.encode(batch))

    def replay_by_two(self, pairs: Iterable[Pair], again: Source) -> Iterator[Step]:
        """Play pairs, with a second process that reads them too; again : yields them once more."""
        with SecondProcess(self.encoder, again) as second:
            for number, batch in enumerate(batches(iter(pairs))):
                is_sent = is_of_second(number)
                yield from self.decide(second.encoded(batch) if is_sent else self.encoder.encode(batch))

    def decide(self, encoded: Encoded) -> Iterator[Step]:
        """Decide pairs that are encoded; yield what becomes of some at a time."""
        begin = 0
        while begin < len(encoded.pairs):
            end = self._link(encoded, begin)
            first = encoded.ends[begin - 1] if begin else 0
            events = self.engine.decide(encoded.commands[first : encoded.ends[end - 1]])
            self._learn(encoded, end - 1, events)
            yield self._compared(encoded, begin, end, events)
            begin = end

    def _link(self, encoded: Encoded, begin: int) -> int:
        """Give commands and expected answers from `begin` on the numbers of their payments.

        Returns where that ends, behind a pair for which everything before must be decided first.
        """
        numbers, taken, ends = self._numbers, self._taken, encoded.ends
        payments, is_fresh = encoded.payments, encoded.is_fresh
        of_commands: dict[int, int] = {}
        of_pairs: dict[int, int] = {}
        first = ends[begin - 1] if begin else 0
        before = self.engine.seq - first
        stop = len(payments)
        for idx in range(begin, stop):
            end, payment = ends[idx], payments[idx]
            ask, name = encoded.pairs[idx].route
            if name:
                if ask in READS:
                    stop = idx + 1
                    break
                if end > first:
                    of_commands[first] = numbers.get(name, NOBODY)
            if payment is not None:
                number = numbers.get(payment)
                if number is None:
                    if not is_fresh[idx] or end == first:
                        stop = idx + 1
                        break
                    number = numbers[payment] = before + end
                    taken.add(number)
                of_pairs[idx] = number
            first = end
        _put(encoded.commands["payment"], of_commands)
        _put(encoded.expected["payment"], of_pairs)
        return stop

    def _learn(self, encoded: Encoded, idx: int, events: Records) -> None:
        """Note what an unknown payment of the last answer that was decided is here."""
        payment = encoded.payments[idx]
        if payment is None or payment in self._numbers or not len(events):
            return
        number = int(events["payment"][-1])
        if encoded.ends[idx] > (encoded.ends[idx - 1] if idx else 0) and number > 0:
            if number not in self._taken:
                self._numbers[payment] = encoded.expected["payment"][idx] = number
                self._taken.add(number)

    def _compared(self, encoded: Encoded, begin: int, end: int, events: Records) -> Step:
        """Hold the answers from `begin` to `end` against what was decided."""
        first = encoded.ends[begin - 1] if begin else 0
        ends = np.array(encoded.ends[begin:end], np.int64) - first
        looked_at = _looked_at(encoded.expected[begin:end], ends, events)
        different, unanswered = [], 0
        for idx in np.flatnonzero(looked_at).tolist():
            pair = encoded.pairs[begin + idx]
            old = captured_answer(pair)
            if old is None:
                unanswered += 1
                continue
            new = self._answer(encoded, begin + idx, events, first)
            fields = differences(old, new, self._translated)
            if fields:
                different.append(Compared(pair, old, new, fields))
        equal = end - begin - unanswered - len(different)
        return Step(equal, unanswered, different, cells_of(events))

    def _answer(self, encoded: Encoded, idx: int, events: Records, first: int) -> ServiceAnswer:
        """Return what Pinion answers to a pair; first : the command that the first event is of."""
        pair = encoded.pairs[idx]
        begin, end = (encoded.ends[idx - 1] if idx else 0) - first, encoded.ends[idx] - first
        if idx in encoded.refused:
            return encoded.refused[idx]
        ask, name = pair.route
        if ask == PaymentAsk.PAYMENT:
            return self._answering.of_payment(self._numbers.get(name), self._translated(name))
        if ask == PaymentAsk.ACCOUNT:
            return self._answering.of_account(name)
        if ask == PaymentAsk.SET_UP:
            line_ends = [each - first for each in encoded.line_ends[idx]]
            return answer_of_lines(events, line_ends, begin)
        asked = self._translated(name)
        return self._answering.of_event(events[begin:end], pair.route, encoded.request_ids[idx], asked)

    def _translated(self, payment: str) -> str:
        number = self._numbers.get(payment)
        return payment if number is None else self._answering.id_of(number)


def _looked_at(expected: Records, ends: npt.NDArray[np.int64], events: Records) -> npt.NDArray[np.bool_]:
    """Tell of each pair whether its answers are to be compared as documents; ends : of its events."""
    kind = expected["kind"]
    looked_at: npt.NDArray[np.bool_] = kind == LOOKED_AT
    has_words = (kind == EventKind.DECIDED) | (kind == EventKind.MOVED)
    looked_at[has_words] = unlike(events[ends[has_words] - 1], expected[has_words])
    is_set_up = kind == EventKind.DONE
    failed = np.concatenate([[0], np.cumsum(not_done(events))])
    begins = np.concatenate([[0], ends[:-1]])
    looked_at[is_set_up] = failed[ends[is_set_up]] > failed[begins[is_set_up]]
    return looked_at


def _put(values: npt.NDArray[np.int64], chosen: dict[int, int]) -> None:
    """Set some values by their places."""
    values[np.fromiter(chosen, np.int64, len(chosen))] = np.fromiter(chosen.values(), np.int64, len(chosen))
