"""Where T comes from: the engine's clock, or what requests say and nothing else."""

from engine.payments.records import Clock, Op
from tests.engine.payments.building import SMALL, T0, Engine, command, funded, merchant, pay, settings

NOW_NS = 2 * T0 * 1_000_000
"""The clock of the machine, long behind what requests say."""


def begun(clock: Clock) -> Engine:
    """Return an engine that was idle before it heard of its clock."""
    engine = Engine(SMALL, command(Op.TICK))
    engine.eng_ts = NOW_NS
    engine.tell(command(Op.TICK), settings(clock), merchant(), *funded())
    return engine


def test_requests_move_time_from_zero_whatever_came_before_the_settings() -> None:
    engine = begun(Clock.REQUEST)
    before = int(engine.s["now"])

    event = engine.one(pay(1, at=T0))
    engine.eng_ts += 10**12
    engine.tell(command(Op.TICK), settings(), pay(2))

    assert before == 0
    assert (event["ts_ms"], engine.s["now"]) == (T0, T0)


def test_the_clock_of_the_engine_moves_time_with_every_command() -> None:
    engine = begun(Clock.ENGINE)

    event = engine.one(pay(1))
    engine.eng_ts += 10**9
    engine.tell(command(Op.TICK))

    assert event["ts_ms"] == NOW_NS // 10**6
    assert engine.s["now"] == NOW_NS // 10**6 + 1000
