"""The breaker lets everything through, then nothing for a while, then one."""

from gateways.payments.forward.breaker import FAILURES_MAX, PAUSE_S, PAUSE_S_MAX, Breaker


class Watched:
    """A breaker at a time that the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.breaker = Breaker(lambda: self.now)

    def fail(self, count: int = 1) -> None:
        for _ in range(count):
            self.breaker.failed()


def test_a_few_failures_change_nothing_and_a_success_forgets_them() -> None:
    watched = Watched()
    watched.fail(FAILURES_MAX - 1)
    assert watched.breaker.lets_through()
    watched.breaker.succeeded()
    watched.fail(FAILURES_MAX - 1)
    assert watched.breaker.lets_through()
    assert not watched.breaker.is_open


def test_behind_a_pause_one_request_is_let_through_at_a_time() -> None:
    watched = Watched()
    watched.fail(FAILURES_MAX)
    assert not watched.breaker.lets_through()
    watched.now = PAUSE_S
    assert [watched.breaker.lets_through() for _ in range(3)] == [True, False, False]
    watched.breaker.succeeded()
    assert [watched.breaker.lets_through() for _ in range(3)] == [True] * 3


def test_pauses_double_up_to_a_bound_and_begin_anew_behind_a_success() -> None:
    watched, pauses = Watched(), []
    watched.fail(FAILURES_MAX)
    for _ in range(8):
        began = watched.now
        while not watched.breaker.lets_through():
            watched.now += PAUSE_S / 2
        pauses.append(watched.now - began)
        watched.fail()
    assert pauses[:4] == [PAUSE_S * 2**step for step in range(4)]
    assert pauses[-1] == PAUSE_S_MAX
    watched.breaker.succeeded()
    watched.fail(FAILURES_MAX)
    watched.now += PAUSE_S
    assert watched.breaker.lets_through()


def test_a_probe_that_is_never_heard_of_again_is_followed_by_another() -> None:
    watched = Watched()
    watched.fail(FAILURES_MAX)
    watched.now = PAUSE_S
    assert watched.breaker.lets_through()
    watched.now += PAUSE_S
    assert watched.breaker.lets_through()
