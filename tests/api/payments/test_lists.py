"""The list of payments over HTTP, from a real database: filters, pages, roles, what is hidden, outages."""

from datetime import UTC, datetime

import pytest

from api.payments.past import PaymentsPast
from engine.payments.codes import BY_NUMBER
from engine.payments.command_words import REQUEST_ID, REQUEST_ID_WORDS
from engine.payments.records import EventKind
from engine.payments.texts import words_text
from engine.payments.view.live_view import LiveView
from gateways.payments.replies import Replies
from tests.api.payments.conftest import Api, served
from tests.engine.payments.history.story import BEGAN_MS, Story, standing_of

HIDDEN = "FUNDS"
"""The code that merchant m1 of the story discloses as response code 05."""


def merchant_of(story: Story, payment: str) -> str:
    """Return the merchant that a payment's command names."""
    words = story.entries["command"]["words"][int(payment.removeprefix("a-")) - 1]
    return words_text(words[8:11])


def times_of(story: Story) -> dict[str, int]:
    """Return when each payment was decided, by its id."""
    events = story.events
    decided = events[(events["kind"] == EventKind.DECIDED) & (events["payment"] == events["seq"])]
    ids = [f"a-{payment}" for payment in decided["payment"].tolist()]
    return dict(zip(ids, decided["ts_ms"].tolist(), strict=True))


async def test_every_payment_is_listed_newest_first_and_once(api: Api) -> None:
    found = await api.all()

    expected = sorted(standing_of(api.story.events), reverse=True)
    assert [each["payment"] for each in found] == [f"a-{payment}" for payment in expected]


async def test_a_payment_reads_as_it_does_at_the_other_door(api: Api) -> None:
    view, replies = LiveView(api.story.state), Replies("a")
    listed = {each["payment"]: each for each in await api.all()}

    live = [view.payment(payment) for payment in standing_of(api.story.events)]
    shown = [replies.of_view(each).reply for each in live if each is not None]
    assert len(shown) > 100
    for reply in shown:
        expected = {name: getattr(reply, name) for name in reply.__struct_fields__}
        assert listed[str(reply.payment)] == expected | {"matched": list(reply.matched)}


async def test_a_payment_has_the_request_id_of_its_command(api: Api) -> None:
    words = api.story.entries["command"]["words"]

    for each in await api.all():
        asked = words[int(each["payment"][2:]) - 1][REQUEST_ID : REQUEST_ID + REQUEST_ID_WORDS]
        assert each["request_id"] == words_text(asked)


@pytest.mark.parametrize("code", ["OK", "FUNDS", "REVIEW", "RATE"])
async def test_a_code_narrows_the_list(api: Api, code: str) -> None:
    found = await api.all(f"&code={code}", limit=7)

    expected = [each for each in await api.all() if each["code"] == code]
    assert found == expected
    assert bool(expected) == (code != "RATE")


async def test_an_account_and_a_merchant_narrow_the_list(api: Api) -> None:
    found = await api.all("&account=2&merchant=m1", limit=3)

    accounts = api.story.entries["command"]["account"]
    expected = [
        each
        for each in await api.all()
        if merchant_of(api.story, each["payment"]) == "m1" and accounts[int(each["payment"][2:]) - 1] == 2
    ]
    assert found == expected
    assert expected


@pytest.mark.parametrize("is_text", [False, True])
async def test_a_time_narrows_the_list_its_end_not_included(api: Api, is_text: bool) -> None:
    times = times_of(api.story)
    ordered = sorted(set(times.values()))
    begin, end = ordered[len(ordered) // 4], ordered[len(ordered) // 2]
    said = [str(value) for value in (begin, end)]
    if is_text:
        moments = [datetime.fromtimestamp(value / 1000, UTC) for value in (begin, end)]
        said = [moment.isoformat().replace("+00:00", "Z") for moment in moments]
    found = await api.all(f"&from={said[0]}&to={said[1]}")

    expected = [each for each in await api.all() if begin <= times[each["payment"]] < end]
    assert found == expected
    assert 0 < len(expected) < len(times)


async def test_an_acquirer_lists_what_belongs_to_its_merchants(api: Api) -> None:
    found = await api.all(key="acquirer", limit=9)

    expected = [
        each["payment"]
        for each in await api.all()
        if merchant_of(api.story, each["payment"]) in ("m1", "off")
    ]
    assert [each["payment"] for each in found] == expected


async def test_an_account_of_others_is_empty_for_an_acquirer(api: Api) -> None:
    own = await api.all("&account=1", key="shop")
    nobody = await api.all("&account=77", key="shop")

    assert {merchant_of(api.story, each["payment"]) for each in own} == {"shop:2"}
    assert nobody == []


async def test_a_foreign_merchant_is_refused_whether_it_exists_or_not(api: Api) -> None:
    exists = await api.get("/v1/payments?merchant=m1", "shop")
    does_not = await api.get("/v1/payments?merchant=m99", "shop")

    assert exists == does_not
    assert exists[0] == 403
    assert exists[1]["field"] == "merchant"


async def test_whoever_is_viewer_too_reads_everything(api: Api) -> None:
    assert await api.all(key="both") == await api.all()


async def test_an_acquirer_reads_what_its_merchant_discloses(api: Api) -> None:
    hidden = [
        each["payment"]
        for each in await api.all(f"&code={HIDDEN}")
        if merchant_of(api.story, each["payment"]) == "m1"
    ]

    found = {each["payment"]: each for each in await api.all(key="acquirer")}

    assert hidden
    for payment in hidden:
        reply = found[payment]
        assert (reply["code"], reply["iso"], reply["rule"], reply["field"]) == ("DECLINED", "05", None, None)
        assert reply["matched"] == []


async def test_no_filter_tells_what_a_code_hides(api: Api) -> None:
    by_code = await api.all(f"&code={HIDDEN}", key="acquirer")
    disclosed = await api.all("&code=DECLINED", key="acquirer")
    elsewhere = await api.all(f"&code={HIDDEN}", key="shop")

    assert by_code == []
    assert disclosed == [each for each in await api.all(key="acquirer") if each["code"] == "DECLINED"]
    assert disclosed
    assert {each["code"] for each in elsewhere} == {HIDDEN}


async def test_an_acquirer_for_every_merchant_reads_each_as_it_discloses(api: Api) -> None:
    found = await api.all(f"&code={HIDDEN}", key="every")

    assert found
    assert all(merchant_of(api.story, each["payment"]) != "m1" for each in found)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("code=DECLINED", "code"),
        ("code=ok", "code"),
        ("account=0", "account"),
        ("account=x", "account"),
        ("merchant=a%20b", "merchant"),
        (f"from={BEGAN_MS}000000", "from"),
        ("to=yesterday", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=-1", "cursor"),
        ("state=open", "state"),
        ("account=1&account=2", "account"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_name(api: Api, query: str, field: str) -> None:
    status, document = await api.get(f"/v1/payments?{query}")

    assert status == 400
    assert document["field"] == field


async def test_nothing_is_listed_without_a_key(api: Api) -> None:
    status, document = await api.get("/v1/payments", "")

    assert status == 401
    assert document["reason"] == "unauthorized"


@pytest.mark.parametrize("path", ["/v1/status", "/v1/latency"])
async def test_an_acquirer_does_not_read_how_the_instance_is(api: Api, path: str) -> None:
    status, document = await api.get(path, "acquirer")

    assert status == 403
    assert document["reason"] == "not_permitted"


async def test_a_page_does_not_move_while_more_is_decided(api: Api) -> None:
    _, first = await api.get("/v1/payments?limit=5")
    _, again = await api.get("/v1/payments?limit=5")
    _, second = await api.get(f"/v1/payments?limit=5&cursor={first['next_cursor']}")

    whole = await api.all()
    assert first == again
    assert first["payments"] + second["payments"] == whole[:10]
    assert first["as_of_seq"] == len(api.story.entries)


async def test_without_history_there_is_no_list(story: Story) -> None:
    async with served(story, None) as client:
        status, document = await Api(client, story).get("/v1/payments")

    assert status == 503
    assert document["reason"] == "no_history"


async def test_a_database_that_is_away_is_said_so(story: Story) -> None:
    past = PaymentsPast("postgresql://nobody@127.0.0.1:1/none", lambda: len(story.entries))
    async with served(story, past) as client:
        status, document = await Api(client, story).get("/v1/payments")

    assert status == 503
    assert document["reason"] == "history_unavailable"
    assert "payments go on" in document["detail"]


def test_the_story_reaches_codes_of_more_than_one_kind(story: Story) -> None:
    found = {BY_NUMBER[each["code"]].name for each in standing_of(story.events).values()}

    assert {"OK", "FUNDS", "REVIEW", "BAD_MERCHANT", "NO_ACCOUNT", "FROZEN_ACCOUNT"} <= found
