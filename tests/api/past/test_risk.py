"""Latches and equity of the past over HTTP: pages, times, and whose they are."""

from tests.api.past.test_pages import ONE, Api, api, bare, filled, story
from tests.engine.runtime.history.story import Story
from tests.engine.runtime.history.tables import rows_of
from tests.postgres import dsn, postgres

__all__ = ["api", "bare", "dsn", "filled", "postgres", "story"]


async def test_latches_are_all_there_once_newest_first(api: Api, story: Story, filled: str) -> None:
    found = await api.pages("/v1/latches", "latches", limit=7)

    assert len(found) == story.reports["latched"]
    listed = await rows_of(
        filled,
        "SELECT seq, account, limit_name, level, measured::text, allowed::text, currency FROM latch_list "
        "ORDER BY seq",
    )
    told = sorted(
        (each["seq"], each["account"], each["limit"], each["level"] or "none", each["currency"])
        for each in found
        if each["account"] is not None
    )
    expected = sorted((*row[:4], row[6]) for row in listed if row[1] is not None)
    assert told == expected
    assert [each["event_idx"] for each in found] == sorted(
        (each["event_idx"] for each in found), reverse=True
    )


async def test_latches_of_an_account_and_of_a_time(api: Api) -> None:
    every = await api.pages("/v1/latches", "latches", limit=1000)
    account = next(each["account"] for each in every if each["account"])
    own = await api.pages(f"/v1/latches?account={account}", "latches", limit=3)
    times = sorted(each["eng_ts"] for each in every)
    begin, end = times[len(times) // 4], times[3 * len(times) // 4]
    between = await api.pages(f"/v1/latches?from={begin}&to={end}", "latches")

    assert own == [each for each in every if each["account"] == account]
    assert between == [each for each in every if begin <= each["eng_ts"] < end]


async def test_equity_is_paged_newest_first(api: Api, filled: str) -> None:
    rows = await rows_of(filled, "SELECT account, seq FROM equity ORDER BY account, seq DESC")
    assert rows
    for account in {row[0] for row in rows if row[0] > 0}:  # of groups there is no list
        found = await api.pages(f"/v1/accounts/{account}/equity", "equity", limit=2)
        assert [each["seq"] for each in found] == [seq for whose, seq in rows if whose == account]
        assert set(found[0]) == {
            *("seq", "eng_ts", "currency", "equity", "peak", "drawdown", "day_start", "session_start")
        }


async def test_they_are_of_accounts_that_the_key_may_read(api: Api, bare: Api) -> None:
    _, page = await api.get("/v1/latches?limit=1000", ONE)
    foreign, _ = await api.get("/v1/latches?account=2", ONE)
    equity, _ = await api.get("/v1/accounts/2/equity", ONE)
    unknown, _ = await api.get("/v1/accounts/999/equity")
    odd = await api.get("/v1/latches?symbol=XYZ")
    without = [(await bare.get(path))[1]["reason"] for path in ("/v1/latches", "/v1/accounts/1/equity")]

    assert {each["account"] for each in page["latches"]} <= {1}
    assert (foreign, equity, unknown) == (403, 403, 404)
    assert (odd[0], odd[1]["field"]) == (400, "symbol")
    assert without == ["no_history", "no_history"]
