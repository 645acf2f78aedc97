"""The load generator for payments, against the bare handler: what it sends, what it counts."""

import msgspec
import pytest

from perf.bare_http import bare_server
from perf.http_generator import Run
from perf.load_payments import LoadError, Plan, body_of, measured, outcomes, pan_of
from perf.stalls import traced_beside

PLAN = Plan(
    host="127.0.0.1", port=1, key="bare-handler-takes-any", run="r", shift=7, rate=200.0, seconds=1.0,
    connections=4, merchants=3, accounts=10, cards=50,
)  # fmt: skip


def passes_luhn(pan: str) -> bool:
    doubled = [2 * int(digit) for digit in pan[-2::-2]]
    return (sum(map(int, pan[-1::-2])) + sum(each - 9 * (each > 9) for each in doubled)) % 10 == 0


def answer(status: int, **reply: object) -> bytes:
    """Return an answer as the generator keeps it."""
    return f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode() + msgspec.json.encode(reply)


def test_every_pan_is_one_of_its_own_and_passes_its_check() -> None:
    pans = [pan_of(card) for card in range(500)]

    assert len(set(pans)) == 500
    assert all(len(pan) == 16 and passes_luhn(pan) for pan in pans)


def test_a_request_is_its_own_and_its_card_comes_back_after_all_others() -> None:
    bodies = [msgspec.json.decode(body_of(PLAN, number)) for number in range(100)]

    assert len({body["request_id"] for body in bodies}) == 100
    assert [body["card"]["pan"] for body in bodies[:50]] == [body["card"]["pan"] for body in bodies[50:]]
    assert {body["merchant"] for body in bodies} == {"m1", "m2", "m3"}
    assert {body["account"] for body in bodies} == set(range(1, 11))
    assert {body["op"] for body in bodies} == {"authorise", "sale"}


def test_another_run_has_no_payment_of_this_one() -> None:
    def paid(plan: Plan) -> set[tuple[str, int]]:
        bodies = (msgspec.json.decode(body_of(plan, number)) for number in range(100))
        return {(body["card"]["pan"], body["amount"]) for body in bodies}

    assert not paid(PLAN) & paid(msgspec.structs.replace(PLAN, shift=PLAN.shift + 1009))


def test_a_run_against_the_bare_handler_is_measured_whole() -> None:
    with bare_server() as port:
        result = measured(msgspec.structs.replace(PLAN, port=port))

    assert result.requests == 200
    assert result.codes == {"OK": 200}
    assert result.errors == {}
    assert 0 < result.p50_ns <= result.p99_ns <= result.p999_ns <= result.max_ns
    assert set(result.stalls) == {"mean_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns"}


def test_a_door_that_is_not_there_is_told() -> None:
    with pytest.raises(LoadError, match="ConnectionRefusedError"):
        measured(PLAN)


def test_what_is_no_200_is_an_error_under_its_code() -> None:
    run = Run(answers=[
        (0, answer(200, request_id="r-0", code="OK")),
        (1, answer(200, request_id="r-1", code="VELOCITY")),
        (2, answer(503, request_id="r-2", code="BUSY")),
        (3, answer(401, title="no key")),
    ])  # fmt: skip

    codes, errors = outcomes(PLAN, run)

    assert codes == {"OK": 1, "VELOCITY": 1, "BUSY": 1, "401": 1}
    assert errors == {"BUSY": 1, "401": 1}


def test_an_answer_to_another_request_ends_the_run() -> None:
    with pytest.raises(LoadError, match="r-0 was answered with the reply of r-9"):
        outcomes(PLAN, Run(answers=[(0, answer(200, request_id="r-9", code="OK"))]))


def test_stalls_are_traced_on_the_schedule_of_the_load() -> None:
    with traced_beside(0.5, 200.0) as stalls:
        pass

    assert 0 <= stalls["p50_ns"] <= stalls["max_ns"]
