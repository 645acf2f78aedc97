"""Whatever a client sends, the work on it is bounded: in calls, for a clock would tell of the machine."""

import asyncio
import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from gateways.entry.principals import Principal
from gateways.entry.refusals import Refused
from gateways.http.problems import problem_of
from gateways.http.routes import BATCH_MAX, ask
from gateways.http.sockets import BODY_MAX, MESSAGE_MAX, TURN_BYTES, SessionSocket, _require_role
from gateways.json_lines.fields import MISSPELT_CHARS_MAX, did_you_mean
from gateways.process.turns import Turns

CALLS_MAX = 5000
WORD = "x" * (BODY_MAX // 2)


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many functions are called, in Python and in C, until the work is done or refused."""
    count = 0

    def look(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(look)
    try:
        work()
    except Refused:
        pass
    finally:
        sys.setprofile(None)
    return count


def numbers(byte_count: int) -> bytes:
    return b"[" + b"0," * (byte_count // 2 - 2) + b"0]"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/orders/batch", numbers(BODY_MAX)),
        ("/v1/orders/batch", b'{"orders":' + numbers(BODY_MAX - 20) + b"}"),
        ("/v1/admin", numbers(BODY_MAX)),
        ("/v1/admin", b"{}\n" * (BODY_MAX // 3)),
    ],
)
def test_body_of_too_many_commands_is_refused_before_they_are_read(path: str, body: bytes) -> None:
    def work() -> None:
        with pytest.raises(Refused) as refused:
            ask("POST", path, {}, body, None)
        assert problem_of(refused.value.refusal).status == 413

    assert calls_of(work) < CALLS_MAX + (len(body.splitlines()) if b"\n" in body else 0)


@pytest.mark.parametrize(
    "message", [numbers(MESSAGE_MAX), b'[{"a":1,"a":2},' + numbers(MESSAGE_MAX - 20)[1:]]
)
def test_message_of_too_many_commands_is_refused_before_they_are_read(door: Any, message: bytes) -> None:
    session = door.session(11)

    assert calls_of(lambda: session.receive(message)) < CALLS_MAX
    [answer] = session.outbox
    assert b"at most 1024 go into one message" in answer


@pytest.mark.parametrize(
    "fields", [{"op": WORD}, {"side": WORD}, {"type": WORD}, {WORD: 1}, {"op": "mass_cancel", WORD: 1}]
)
def test_word_that_nobody_could_have_meant_is_compared_with_none(
    door: Any, order: Any, fields: dict[str, Any]
) -> None:
    asked = fields if "mass_cancel" in fields.values() else order(**fields)

    assert calls_of(lambda: door.start(dict(asked, account=1))) < CALLS_MAX


def test_suggestion_is_made_up_to_the_length_at_which_one_can_be_meant() -> None:
    known = ("a" * MISSPELT_CHARS_MAX, "b")

    assert did_you_mean("a" * MISSPELT_CHARS_MAX, known).startswith("did you mean 'aaa")
    assert did_you_mean("a" * (MISSPELT_CHARS_MAX + 1), known).startswith("give one of")


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [("PATCH", "/v1/orders/client:a", None), ("POST", "/v1/orders", "a")],
)
def test_refusal_repeats_the_beginning_of_a_value(method: str, path: str, key: str | None) -> None:
    with pytest.raises(Refused) as refused:
        ask(method, path, {}, b'{"client_order_id":"%b"}' % WORD.encode(), key)

    assert len(problem_of(refused.value.refusal).detail) < 250


def test_body_of_a_key_that_may_not_do_it_is_not_read() -> None:
    viewer = Principal("vera", None, 4, 1)
    for path in ("/v1/orders", "/v1/orders/batch", "/v1/admin"):
        with pytest.raises(Refused) as refused:
            _require_role(viewer, "POST", path)
        problem = problem_of(refused.value.refusal)
        assert (problem.status, problem.reason) == (403, "not_permitted")
    _require_role(Principal("tess", None, 1, 1), "POST", "/v1/orders/batch")
    _require_role(Principal("olga", None, 2, 1), "POST", "/v1/admin")


class FullSocket:
    """A WebSocket whose messages have all come before anybody reads one."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = messages

    async def receive(self) -> WSMessage:
        if not self._messages:
            return WSMessage(WSMsgType.CLOSED, None, None)
        return WSMessage(WSMsgType.BINARY, self._messages.pop(), None)


async def test_loop_turns_while_sessions_pipeline_what_is_refused(door: Any) -> None:
    message = b"[" + b",".join([b'{"op":"fly"}'] * BATCH_MAX) + b"]"
    sessions = [door.session(11 + idx) for idx in range(4)]
    turns = Turns(TURN_BYTES)
    told = [0]

    async def heartbeat() -> None:
        while True:
            told.append(sum(len(session.outbox) for session in sessions))
            await asyncio.sleep(0)

    beating = asyncio.create_task(heartbeat())
    sockets: list[Any] = [FullSocket([message] * 6) for _ in sessions]
    serving = zip(sessions, sockets, strict=True)
    await asyncio.gather(
        *(SessionSocket(each, socket, asyncio.Transport(), turns).serve() for each, socket in serving)
    )
    await asyncio.sleep(0)
    beating.cancel()

    assert told[-1] == 4 * 6 * BATCH_MAX
    in_one_turn = max(after - before for before, after in itertools.pairwise(told))
    assert in_one_turn <= 2 * (TURN_BYTES // len(message) + 1) * BATCH_MAX
