"""Connections of the order door: what is plain there, and refusals as responses."""

from collections.abc import Callable
from typing import Any

from engine.settings.door_settings import DoorLimits
from gateways.entry.refusals import Refusal, Refused
from gateways.http.plain import PLAIN_ORDERS
from gateways.http.problems import WrongMethod, problem_of
from gateways.process.answers import Reply
from gateways.process.guard import Guard
from gateways.process.plain import Head
from gateways.process.plain_connections import PlainConnection, PlainServer


def refusal_reply(refusal: Refusal, keep_alive: bool = True, allow: str = "") -> Reply:
    """Return a refusal as response: its problem document."""
    problem = problem_of(refusal)
    return Reply(problem.status, problem.body(), keep_alive, allow)


def refused_reply(refused: Refused, keep_alive: bool) -> Reply:
    """Return the response to a request that was refused, with the methods that the address takes instead."""
    allow = refused.allow if isinstance(refused, WrongMethod) else ""
    return refusal_reply(refused.refusal, keep_alive, allow)


class OrderServer(PlainServer):
    """The server of the order door's connections."""

    def __init__(
        self,
        handler: Any,
        on_plain: Callable[[PlainConnection, Head, bytes], None],
        guard: Guard,
        limits: DoorLimits,
        *,
        connections_max: int,
    ) -> None:
        super().__init__(handler, PLAIN_ORDERS, on_plain, guard, limits, connections_max=connections_max)
