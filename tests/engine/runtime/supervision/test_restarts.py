"""A process that ends again and again for one cause is told of once."""

from engine.runtime.supervision.children import Child
from engine.runtime.supervision.restarts import SETTLED_S, Restarts


def test_a_cause_is_news_once_and_another_cause_is_news() -> None:
    restarts = Restarts()
    child = Child("http", 7)

    causes = ["port taken", "port taken", "killed by SIGKILL", "port taken"]

    assert [restarts.is_news(child, cause) for cause in causes] == [True, False, True, True]
    assert restarts.is_news(Child("api", 8), "port taken")


def test_a_cause_is_news_again_once_the_process_had_settled() -> None:
    restarts = Restarts()
    child = Child("http", 7)
    restarts.plan(child)
    restarts.is_news(child, "killed by SIGKILL")

    settled = Child("http", 9, started=child.started - 2 * SETTLED_S)
    restarts.plan(settled)

    assert restarts.is_news(settled, "killed by SIGKILL")
