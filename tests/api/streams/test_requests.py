import pytest

from api.streams.requests import RefusedRequest, Subscribe, parse


def test_subscription_is_read_with_its_defaults() -> None:
    request = parse('{"op":"subscribe","channel":"book","symbol":"BTC-USD","id":7}')

    assert request == Subscribe(channel="book", symbol="BTC-USD", depth=25, id=7)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('{"op":"subscribe","channel":"books"}', "channel"),
        ('{"op":"subscribe","channel":"book","depth":0}', "depth"),
        ('{"op":"subscribe","channel":"book","depth":"5"}', "depth"),
        ('{"op":"subscribe","channel":"fills","account":0}', "account"),
        ('{"op":"subscribe","channel":"fills","account":1e400}', "account"),
        ('{"op":"shout"}', "op"),
        ('{"op":"ping","id":{}}', "id"),
    ],
)
def test_wrong_field_is_named(message: str, field: str) -> None:
    with pytest.raises(RefusedRequest) as refused:
        parse(message)

    assert refused.value.field == field
    assert refused.value.reason in ("invalid_field", "malformed")


@pytest.mark.parametrize(
    ("message", "reason", "field", "mend"),
    [
        (
            '{"op":"subscribe","channel":"books"}',
            "invalid_field",
            "channel",
            "book, trades, ticker, fills, orders",
        ),
        (
            '{"op":"subscribe","channel":"book","depth":"5"}',
            "invalid_field",
            "depth",
            "from 1 to 1000, without quotes",
        ),
        ('{"op":"subscribe","channel":"book","dept":5}', "invalid_field", "dept", "depth"),
        ('{"op":"subscribe"}', "invalid_field", "channel", "book, trades"),
        ("{", "malformed", "message", "not JSON"),
        ("[]", "malformed", "message", "a request is a JSON object"),
        ('{"x":' + "[" * 2000 + "]" * 2000 + "}", "malformed", "message", "nested too deep"),
    ],
)
def test_refusal_says_what_the_field_takes(message: str, reason: str, field: str, mend: str) -> None:
    with pytest.raises(RefusedRequest, match=mend) as refused:
        parse(message)

    assert (refused.value.reason, refused.value.field) == (reason, field)


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "null", "7", '{"op":"ping","more":1}', "\ud800", b"\xff\xfe", '{"channel":"book"}'],
)
def test_anything_else_is_refused(message: str | bytes) -> None:
    with pytest.raises(RefusedRequest):
        parse(message)


def test_refusal_repeats_the_id_of_the_request() -> None:
    with pytest.raises(RefusedRequest) as refused:
        parse('{"op":"subscribe","channel":"nothing","id":"a1"}')

    assert refused.value.request_id == "a1"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('{"op":"subscribe","op":"unsubscribe","channel":"status"}', "op"),
        ('{"op":"subscribe","channel":"fills","account":1,"acc\\u006funt":2}', "account"),
        ('{"op":"auth","token":"a","token":"b"}', "token"),
    ],
)
def test_key_given_twice_is_refused_and_named(message: str, field: str) -> None:
    for given in (message, message.encode()):
        with pytest.raises(RefusedRequest, match=f"the key '{field}' is given twice") as refused:
            parse(given)

        assert (refused.value.reason, refused.value.field) == ("malformed", field)


@pytest.mark.parametrize(
    ("message", "field", "known"),
    [
        ('{"op":"subscribe","channel":"fills","symbol":"BTC-USD"}', "symbol", "account, after_seq"),
        ('{"op":"subscribe","channel":"orders","depth":5}', "depth", "account, after_seq"),
        (
            '{"op":"subscribe","channel":"book","symbol":"BTC-USD","after_seq":5}',
            "after_seq",
            "symbol, depth",
        ),
        ('{"op":"subscribe","channel":"book","symbol":"BTC-USD","account":5}', "account", "symbol, depth"),
        ('{"op":"subscribe","channel":"trades","symbol":"BTC-USD","depth":5}', "depth", "symbol, after_seq"),
        ('{"op":"subscribe","channel":"ticker","symbol":"BTC-USD","after_seq":5}', "after_seq", "symbol"),
        ('{"op":"subscribe","channel":"status","symbol":"BTC-USD"}', "symbol", "no other field"),
        ('{"op":"unsubscribe","channel":"fills","symbol":"BTC-USD","id":7}', "symbol", "account, after_seq"),
    ],
)
def test_field_of_another_channel_is_refused(message: str, field: str, known: str) -> None:
    with pytest.raises(RefusedRequest, match=f"has no {field}; it has {known}") as refused:
        parse(message)

    assert (refused.value.reason, refused.value.field) == ("invalid_field", field)


@pytest.mark.parametrize("field", ["symbol", "account", "after_seq"])
def test_null_is_a_field_left_out(field: str) -> None:
    assert parse(f'{{"op":"subscribe","channel":"status","{field}":null}}') == Subscribe(channel="status")


@pytest.mark.parametrize(
    "field",
    [
        *(
            '"symbol":""',
            '"symbol":5',
            '"symbol":["BTC-USD"]',
            '"account":"1"',
            '"account":1.0',
            '"account":true',
        ),
        *('"account":1e0', '"after_seq":"5"', '"after_seq":-1', '"depth":""', '"depth":null', '"depth":true'),
        *('"depth":5.0', '"channel":""', '"channel":null', '"channel":["book"]', '"id":true', '"id":1.5'),
        *('"op":""', '"op":null', '"op":["ping"]', '"op":1'),
    ],
)
def test_value_of_another_type_is_refused_by_name(field: str) -> None:
    name = field.split('"')[1]
    rest = {"op": '"subscribe"', "channel": '"status"'}
    rest.pop(name, None)
    text = ",".join([field, *(f'"{key}":{value}' for key, value in rest.items())])

    with pytest.raises(RefusedRequest) as refused:
        parse("{" + text + "}")

    assert refused.value.field == name
