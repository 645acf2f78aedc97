"""The processor as the door sees it, before a sample of one with every fault."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from engine.payments.forwarding import Processed
from gateways.payments.forward.breaker import FAILURES_MAX, PAUSE_S
from gateways.payments.forward.messages import payment_message
from gateways.payments.forward.processor import PATIENT_MAX, Processor
from pinion.cli.payments.sample.server import Fault, SampleProcessor
from tests.gateways.payments.bodies_of_payments import OTHER_PAN, WHOLE

PATIENT_S, SHORT_S = 10.0, 0.1


@asynccontextmanager
async def sample(
    shares: Mapping[Fault, int], now: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[tuple[SampleProcessor, Processor]]:
    """A sample processor, and a client of it; now : its time, which stands still where a test moves none."""
    server = SampleProcessor(shares, delay_s=60.0)
    await server.start()
    processor = Processor(f"http://127.0.0.1:{server.port}/", now)
    try:
        yield server, processor
    finally:
        await processor.close()
        await server.stop()


async def asked(processor: Processor, name: str, limit_s: float = PATIENT_S) -> Processed:
    return await processor.pay(name, payment_message(name, WHOLE, 1000), limit_s)


@pytest.mark.parametrize(
    ("fault", "outcome", "limit_s"),
    [
        (None, Processed.APPROVED, PATIENT_S),
        (Fault.TWICE, Processed.APPROVED, PATIENT_S),
        (Fault.DECLINE, Processed.DECLINED, PATIENT_S),
        (Fault.SLOW, Processed.UNKNOWN, SHORT_S),
        (Fault.LATE, Processed.UNKNOWN, SHORT_S),
        (Fault.FORGET, Processed.UNKNOWN, SHORT_S),
        (Fault.RESET, Processed.UNKNOWN, PATIENT_S),
        (Fault.LOSE, Processed.UNKNOWN, PATIENT_S),
        (Fault.DOWN, Processed.UNKNOWN, PATIENT_S),
    ],
)
async def test_whatever_a_processor_does_has_one_outcome(
    fault: Fault | None, outcome: Processed, limit_s: float
) -> None:
    async with sample({} if fault is None else {fault: 100}) as (server, processor):
        assert await asked(processor, "a-1", limit_s) == outcome
        server.shares = {}
        well = (Processed.APPROVED, Processed.UNKNOWN) if fault is Fault.TWICE else (Processed.APPROVED,)
        assert await asked(processor, "a-2") in well  # a second answer may meet the next request
        assert server.book.entries["a-2"].asked == 1


async def test_what_never_left_is_not_sent() -> None:
    async with sample({}) as (server, processor):
        await server.stop()
        assert await asked(processor, "a-1") == Processed.NOT_SENT
        assert not await processor.reverse("a-1", PATIENT_S)


async def test_a_dead_processor_is_left_alone_and_found_again() -> None:
    times = [0.0]
    async with sample({Fault.DOWN: 100}, lambda: times[-1]) as (server, processor):
        assert processor.room == PATIENT_MAX
        outcomes = [await asked(processor, f"a-{number}") for number in range(FAILURES_MAX)]
        assert outcomes == [Processed.UNKNOWN] * FAILURES_MAX
        assert processor.room == 0
        assert await asked(processor, "a-8") == Processed.NOT_SENT
        assert not await processor.reverse("a-8", PATIENT_S)
        server.shares = {}
        times.append(PAUSE_S)
        assert processor.room == 1
        assert await asked(processor, "a-9") == Processed.APPROVED
        assert processor.room == PATIENT_MAX
        assert set(server.book.entries) == {"a-9"}


@pytest.mark.parametrize("fault", [None, Fault.TWICE])
async def test_a_reversal_is_confirmed_also_of_what_is_unknown(fault: Fault | None) -> None:
    async with sample({} if fault is None else {fault: 100}) as (server, processor):
        assert await processor.reverse("a-1", PATIENT_S)
        assert await asked(processor, "a-1") == Processed.DECLINED
        assert server.book.entries["a-1"].reversals == 1


@pytest.mark.parametrize("fault", [Fault.FORGET, Fault.RESET, Fault.LOSE, Fault.DOWN])
async def test_a_reversal_without_an_answer_is_not_confirmed(fault: Fault) -> None:
    async with sample({fault: 100}) as (_, processor):
        assert not await processor.reverse("a-1", SHORT_S)


async def test_a_second_answer_is_not_taken_for_that_of_the_next_payment() -> None:
    async with sample({Fault.TWICE: 100, Fault.DECLINE: 0}) as (server, processor):
        assert await asked(processor, "a-1") == Processed.APPROVED
        server.shares = {Fault.DECLINE: 100}
        assert await asked(processor, "a-2") in (Processed.DECLINED, Processed.UNKNOWN)


async def test_the_log_says_that_a_processor_fails_and_not_what_it_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("DEBUG"):
        async with sample({Fault.RESET: 100}) as (_, processor):
            card = {**WHOLE, "card": {"pan": OTHER_PAN, "expiry": "3012"}}
            await processor.pay("a-1", payment_message("a-1", card, 1000), PATIENT_S)
    assert "the processor does not answer as it should" in caplog.text
    assert OTHER_PAN not in caplog.text
