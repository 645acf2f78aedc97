"""How late the answers of a canary's arms come, measured at the door: its gate on the p99.

The p99 of an arm is beyond its bound where more than one answer of a hundred is later than that. Measured is
the time from a body that was read to its durable decision; neither a processor nor the client's connection
counts, which no set of rules makes slower. An answer that does not come at all names no arm.
"""

import logging
from collections.abc import Callable

from engine.payments.codes import Code
from engine.payments.records import Role
from engine.payments.view.rules_view import TrialView
from engine.trials.records import TrialState
from gateways.payments.door.dispatch import Answered, Awaited, PaymentDispatcher
from gateways.payments.rule_forms import late_record
from ringbuf.seqlock import TornReadError

log = logging.getLogger("pinion.doors")

LOOK_S = 0.25
ANSWER_S = 1.0
HUNDREDTHS = 100
OK = int(Code["OK"])
_LIVE = (TrialState.RUNNING, TrialState.PAUSED)


class Lateness:
    """Counts the answers of one door, and rolls a candidate back whose answers come late.

    trial : reads the trial, or raises TornReadError
    session : one of the door's own
    now : the event loop's time
    """

    def __init__(
        self,
        trial: Callable[[], TrialView],
        dispatcher: PaymentDispatcher,
        session: int,
        now: Callable[[], float],
    ) -> None:
        self.now = now
        self._trial = trial
        self._dispatcher = dispatcher
        self._session = session
        self._step: tuple[int, ...] = ()
        self._ruleset = self._min_seen = 0
        self._bound_s = 0.0
        self._answers = [0, 0]
        self._late = [0, 0]
        self._look_at = 0.0
        self._is_asked = False

    def enter(self, cohort: int, began: float) -> None:
        """Count an answer of an arm; began : when its body was read."""
        if self._bound_s:
            self._answers[cohort] += 1
            self._late[cohort] += self.now() - began > self._bound_s

    def look(self) -> None:
        """Now and then see which trial is on, and roll it back where its answers came late."""
        now = self.now()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        try:
            self._take_up(self._trial())
        except TornReadError:
            return  # it is being changed: the next look sees how
        if self._is_breached() and not self._is_asked:
            self._roll_back()

    def _take_up(self, trial: TrialView) -> None:
        """Count anew where another step has begun."""
        is_timed = trial.state in _LIVE and trial.late_ms > 0
        timed = (trial.ruleset, trial.step, trial.step_began_ms, trial.percent, trial.late_ms)
        step = timed if is_timed else ()
        if step != self._step:
            self._step = step
            self._ruleset, self._min_seen = trial.ruleset, trial.min_seen
            self._bound_s = trial.late_ms / 1000 if is_timed else 0.0
            self._answers, self._late = [0, 0], [0, 0]

    def _is_breached(self) -> bool:
        answers = self._answers[1]
        is_enough = self._bound_s > 0 and answers >= max(1, self._min_seen)
        return is_enough and self._late[1] * HUNDREDTHS > answers

    def _roll_back(self) -> None:
        (control, canary), (late_control, late) = self._answers, self._late
        bound_ms = round(self._bound_s * 1000)
        log.error(
            "the candidate %d is to be rolled back: %d of its %d answers took over %d ms, of others %d of %d",
            self._ruleset,
            late,
            canary,
            bound_ms,
            late_control,
            control,
        )
        self._is_asked = True

        def told(result: Answered) -> None:
            self._is_asked = False  # what came to nothing is asked for again, while the trial goes on
            if isinstance(result, int) or result.code != OK:
                log.warning("the candidate was not rolled back by this door")

        why = evidence(bound_ms, part(late, canary), part(late_control, control))
        record = late_record(self._ruleset, why).tobytes()
        awaited = Awaited(self._session, told, self.now() + ANSWER_S)
        self._dispatcher.stage(record, Role.ALL, awaited)


def evidence(bound_ms: int, late: str, else_late: str) -> str:
    """Return why a candidate is rolled back: a text with too few digits to be taken for a card number."""
    return f"over {bound_ms}ms: {late} late, else {else_late}"


def part(count: int, of: int) -> str:
    """Return a part in per cent, in three digits at most."""
    thousandths = 1000 * count // max(of, 1)
    return "100%" if thousandths == 1000 else f"{thousandths // 10}.{thousandths % 10}%"
