"""A WebSocket session without a socket: texts in, texts out."""

from typing import Any

import msgspec

from gateways.http.routes import BATCH_MAX


def told(session: Any) -> Any:
    texts, session.outbox = session.outbox, []
    return [msgspec.json.decode(text) for text in texts]


def send(session: Any, *messages: Any) -> None:
    for message in messages:
        session.receive(msgspec.json.encode(message).decode())


def test_pipelined_commands_are_answered_by_request_id(door: Any, order: Any) -> None:
    session = door.session(11)

    send(session, {"id": 1, **order()}, {"id": "two", **order(side="sell", price="11")})
    door.turn()

    replies = told(session)
    assert [reply["id"] for reply in replies] == [1, "two"]
    assert [reply["reply"]["status"] for reply in replies] == ["open", "open"]
    assert session.in_flight == 0


def test_maker_hears_of_its_fill_and_taker_has_it_in_the_reply(door: Any, order: Any) -> None:
    maker, taker = door.session(11), door.session(12)
    send(maker, {"id": 1, **order(side="sell", account=2)})
    door.turn()
    told(maker)

    send(taker, {"id": 1, **order(quantity="30")})
    door.turn()

    [report] = told(maker)
    [reply] = told(taker)
    assert report["report"]["event"] == "trade"
    assert report["report"] == reply["reply"]["fills"][0]


def test_order_cancelled_by_somebody_else_is_reported_to_its_session(door: Any, order: Any) -> None:
    session = door.session(11)
    send(session, {"id": 1, **order(client_order_id="mine")})
    door.turn()
    told(session)

    door.ask({"op": "cancel", "account": 1, "client_order_id": "mine"})

    [report] = told(session)
    assert (report["report"]["event"], report["report"]["client_order_id"]) == ("cancelled", "mine")


def test_own_cancel_is_answered_once(door: Any, order: Any) -> None:
    session = door.session(11)
    send(session, {"id": 1, **order(client_order_id="mine")})
    send(session, {"id": 2, "op": "cancel", "account": 1, "client_order_id": "mine"})
    door.turn()

    assert [each["id"] for each in told(session)] == [1, 2]


def test_own_replace_is_answered_once(door: Any, order: Any) -> None:
    session = door.session(11)
    send(session, {"id": 1, **order(client_order_id="mine")})
    send(session, {"id": 2, "op": "replace", "account": 1, "client_order_id": "mine", "quantity": "50"})
    door.turn()

    assert [each["id"] for each in told(session)] == [1, 2]


def test_own_resting_order_that_self_trade_prevention_takes_is_reported(door: Any, order: Any) -> None:
    session = door.session(11)
    send(session, {"id": 1, **order(client_order_id="old")})
    door.turn()
    told(session)

    send(session, {"id": 2, **order(side="sell", self_trade_prevention="cancel_oldest")})
    door.turn()

    messages = told(session)
    kinds = [each["report"]["event"] for each in messages if "report" in each]
    assert kinds == ["prevented", "cancelled"]
    assert [each["reply"]["status"] for each in messages if "reply" in each] == ["open"]


def test_array_is_a_batch(door: Any, order: Any) -> None:
    session = door.session(11)

    send(session, [{"id": 1, **order()}, {"id": 2, **order()}, 5])
    door.turn()

    replies = told(session)
    assert [each["id"] for each in replies] == [None, 1, 2]
    assert replies[0]["problem"]["status"] == 400


def test_empty_batch_is_answered(door: Any) -> None:
    session = door.session(11)

    send(session, [])

    [answer] = told(session)
    assert answer["id"] is None
    assert (answer["problem"]["status"], answer["problem"]["field"]) == (400, "message")
    assert "empty" in answer["problem"]["detail"]


def test_deep_nesting_is_named(door: Any) -> None:
    session = door.session(11)

    session.receive('{"x":' + "[" * 20_000 + "]" * 20_000 + "}")

    [answer] = told(session)
    assert "nested too deep" in answer["problem"]["detail"]


def test_bad_messages_are_answered_and_the_session_lives(door: Any, order: Any) -> None:
    session = door.session(11)
    for text in (
        '{"op":[]}',
        '{"op":null}',
        "{}",
        "",
        "{",
        "null",
        '"x"',
        "[[]]",
        '{"id":{}}',
        '{"id":1.5}',
        '{"op":"fly"}',
        "[" * 100_000,
        b"\xff",
    ):
        session.receive(text)
    session.receive(msgspec.json.encode([{}] * (BATCH_MAX + 1)))
    session.receive('{"id":"\\ud800","op":"cancel"}')

    replies = told(session)
    assert len(replies) == 15
    assert all(reply["problem"]["status"] == 400 for reply in replies)
    send(session, {"id": 9, **order()})
    door.turn()
    assert told(session)[0]["reply"]["status"] == "open"


def test_output_is_announced_once_until_it_is_taken(door: Any, order: Any) -> None:
    session = door.session(11)
    session.receive("{")
    session.receive("{")

    assert door.spoken == [session]


def test_key_given_twice_is_refused_under_the_id_of_its_command(door: Any, order: Any) -> None:
    session = door.session(11)
    good = msgspec.json.encode({"id": 3, **order()}).decode()

    session.receive('{"id":1,"op":"cancel","op":"new"}')
    session.receive('{"id":1,"op":"cancel","id":2}')
    session.receive('[{"id":1,"op":"mass_cancel","acc\\u006funt":1,"account":2},' + good + ",7]")
    session.receive('[{"id":"x","op":[{"a":1,"a":2}]}]')
    door.turn()

    replies = told(session)
    assert [each["id"] for each in replies] == [1, None, 1, None, "x", 3]
    problems = [each["problem"] for each in replies[:5]]
    assert [each["field"] for each in problems] == ["op", "id", "account", "message", "a"]
    assert {each["status"] for each in problems} == {400}
    assert problems[0]["detail"] == "the key 'op' is given twice in one object; give it once"
    assert problems[2]["detail"].startswith("[0]: the key 'account'")
    assert problems[3]["detail"] == "[2]: a command is a JSON object, not a number"
    assert replies[5]["reply"]["status"] == "open"
