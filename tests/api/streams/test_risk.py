"""The `risk` channel: snapshot, sampled deltas, latches at once; nobody is shown what can still be lost."""

from typing import Any

import msgspec

from api.process.access import Access
from api.streams.outbox import KEPT_BYTES_MAX, Outbox
from api.streams.risk import SAMPLE_S, SAMPLED_PER_TURN, RiskSampler
from api.streams.session import StreamSession
from engine.settings.config import Key
from engine.trading.records import Role
from tests.api.exchange import EPOCH, Exchange

OWN = Key(token="o" * 20, name="own", accounts=(1,), roles=Role.TRADER)
TWO = Key(token="t" * 20, name="two", accounts=(1, 2), roles=Role.VIEWER)
EVERY = Key(token="e" * 20, name="every", accounts=None, roles=Role.ALL)
LOSSES = {"op": "limits", "account": 1, "max_drawdown": "50", "max_daily_loss": "500"}


class Watched:
    """An exchange in which account 1 holds two BTC that it bought at 100, and its sampler."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.now = 0.0
        self.sampler = RiskSampler(self.exchange.hub.risk, self.exchange.source)
        self.do(op="mark", symbol="BTC-USD", price="100")
        self.exchange.order(1, "buy", "100", "2")
        self.exchange.order(3, "sell", "100", "2")
        self.do(**LOSSES)

    def do(self, **fields: Any) -> None:
        """Apply a command and hand its events to the hub."""
        self.exchange.hub.take_events(self.exchange.submit(fields))

    def mark(self, price: str) -> None:
        """Mark the instrument and let the next command's sweep pass its holders."""
        self.do(op="mark", symbol="BTC-USD", price=price)
        self.do(op="mark", symbol="BTC-USD", price=price)

    def round(self) -> None:
        """Let a whole round pass."""
        self.now += SAMPLE_S
        while self.sampler.sample(self.now):
            pass


class Reader:
    """A reader of a stream, without a socket."""

    def __init__(self, watched: Watched, key: Key = OWN) -> None:
        self.outbox = Outbox(lambda: None)
        access = Access([OWN, TWO, EVERY])
        self.session = StreamSession(watched.exchange.hub, access, self.outbox, key, True)

    async def ask(self, **request: Any) -> dict[str, Any]:
        await self.session.handle(msgspec.json.encode({"op": "subscribe", "channel": "risk"} | request))
        message = self.outbox.take()
        assert message is not None
        answer: dict[str, Any] = msgspec.json.decode(message)
        return answer

    def messages(self) -> list[dict[str, Any]]:
        """Take all that waits."""
        found = []
        while (message := self.outbox.take()) is not None:
            found.append(msgspec.json.decode(message))
        return found


async def test_a_snapshot_has_uses_equity_peak_drawdown_and_latches() -> None:
    watched = Watched()
    watched.mark("90")
    reader = Reader(watched)

    answer = await reader.ask(account=1, id=7)
    watched.round()

    assert answer == {"type": "subscribed", "channel": "risk", "account": 1, "id": 7}
    [snapshot] = reader.messages()
    assert snapshot.pop("send_ts") > 0
    [account] = snapshot.pop("accounts")
    seq = watched.exchange.view.seq
    assert snapshot == {"channel": "risk", "type": "snapshot", "account": 1, "epoch": EPOCH, "seq": seq}
    assert account["losses"] == {
        **{"currency": "USD", "equity": "999980", "peak": "1000000", "drawdown": "20"},
        "day_start": "1000000",
    }
    assert account["limits"]["max_drawdown"]["distance"] == "30"
    assert (account["account"], account["latches"], account["open_orders"]) == (1, [], 0)


async def test_a_delta_comes_where_something_changed_and_names_the_message_before_it() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)
    watched.round()
    [snapshot] = reader.messages()

    watched.round()
    quiet = reader.messages()
    watched.mark("95")
    watched.round()

    assert quiet == []
    [delta] = reader.messages()
    assert (delta["type"], delta["prev_seq"]) == ("delta", snapshot["seq"])
    assert delta["seq"] == watched.exchange.view.seq
    assert [each["losses"]["drawdown"] for each in delta["accounts"]] == ["10"]


async def test_a_slow_reader_gets_one_delta_from_what_it_saw_last() -> None:
    watched = Watched()
    fast, slow = Reader(watched), Reader(watched)
    for reader in (fast, slow):
        await reader.ask(account=1)
    watched.round()
    first = (slow.messages()[0]["seq"], fast.messages()[0]["seq"])

    drawdowns = []
    for price in ("98", "96", "94"):
        watched.mark(price)
        watched.round()
        drawdowns += [delta["accounts"][0]["losses"]["drawdown"] for delta in fast.messages()]

    assert drawdowns == ["4", "8", "12"]
    [delta] = slow.messages()
    assert (delta["prev_seq"], delta["accounts"][0]["losses"]["drawdown"]) == (first[0], "12")


async def test_a_latch_is_told_at_once_and_the_account_copied_without_waiting_for_the_round() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)
    watched.round()
    reader.messages()

    watched.mark("75")
    at_once = reader.messages()
    watched.sampler.sample(watched.now)  # no round is due
    [delta] = reader.messages()
    watched.do(op="reset_latch", account=1, limit="max_drawdown", rebase=True)
    lifted = reader.messages()

    [message] = at_once
    assert (message["channel"], message["type"], message["account"]) == ("risk", "latched", 1)
    [latch] = message["data"]
    assert {
        name: latch[name] for name in ("account", "limit", "level", "measured", "allowed", "currency")
    } == {
        **{"account": 1, "limit": "max_drawdown", "level": "cancel_and_block"},
        **{"measured": "50", "allowed": "50", "currency": "USD"},
    }
    assert delta["accounts"][0]["latches"] == [{"limit": "max_drawdown", "level": "cancel_and_block"}]
    assert [each["level"] for each in lifted[0]["data"]] == [None]


async def test_nothing_is_shown_before_it_is_durable() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)
    watched.round()
    reader.messages()

    watched.exchange.durable_seq = watched.exchange.view.seq
    watched.mark("95")
    watched.round()
    held = reader.messages()
    watched.mark("93")  # what is held was copied before
    watched.exchange.durable_seq = watched.exchange.view.seq
    watched.round()
    shown = [message["accounts"][0]["losses"]["drawdown"] for message in reader.messages()]

    assert held == []
    assert shown == ["14"] or shown == ["10"]
    watched.round()
    assert (shown + [m["accounts"][0]["losses"]["drawdown"] for m in reader.messages()])[-1] == "14"


async def test_a_key_of_several_accounts_reads_its_own_and_no_others() -> None:
    watched = Watched()
    watched.do(op="limits", account=2, max_open_orders=3)
    watched.do(op="limits", account=3, max_drawdown="1")
    own, every = Reader(watched, TWO), Reader(watched, EVERY)
    await own.ask()
    await every.ask()
    watched.round()

    assert [[each["account"] for each in reader.messages()[0]["accounts"]] for reader in (own, every)] == [
        [1, 2],
        [1, 2, 3],
    ]
    refused = await Reader(watched, TWO).ask(account=3)
    assert (refused["type"], refused["reason"], refused["field"]) == ("error", "not_permitted", "account")
    watched.mark("101")  # account 3 is short of two, and may lose 1
    assert own.messages() == []
    assert [each["account"] for each in every.messages()[0]["data"]] == [3]


async def test_a_kill_of_the_venue_is_told_to_every_reader() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)

    watched.do(op="kill", venue=True)

    [message] = reader.messages()
    assert [(each["account"], each["limit"]) for each in message["data"]] == [(None, "kill")]


async def test_an_account_whose_limits_are_lifted_is_told_without_any() -> None:
    watched = Watched()
    reader = Reader(watched, EVERY)
    await reader.ask()
    watched.round()
    reader.messages()

    watched.do(op="limits", account=1, max_drawdown=None, max_daily_loss=None)
    watched.round()

    [delta] = reader.messages()
    assert (delta["accounts"][0]["limits"], delta["accounts"][0]["losses"]) == ({}, None)


async def test_latches_since_a_seq_are_sent_again_and_what_is_too_old_is_refused() -> None:
    watched = Watched()
    watched.mark("75")
    seq = watched.exchange.view.seq
    watched.do(op="reset_latch", account=1, limit="max_drawdown", rebase=True)
    reader = Reader(watched)

    await reader.ask(account=1, after_seq=seq)
    missed = reader.messages()
    too_old = await Reader(watched).ask(account=1, after_seq=1)

    assert [each["level"] for each in missed[0]["data"]] == [None]
    assert (too_old["type"], too_old["reason"]) == ("error", "resume_too_old")


async def test_a_reader_behind_whom_too_many_latches_wait_is_cut_off() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)
    count = 0
    while not reader.outbox.is_overrun and count * 100 < 2 * KEPT_BYTES_MAX:
        watched.do(op="kill", account=1)
        watched.do(op="reset_latch", account=1)
        count += 2

    assert reader.outbox.is_overrun


async def test_a_gap_of_events_cuts_readers_off() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)

    watched.exchange.hub.mark_gap(watched.exchange.view.seq)

    assert reader.outbox.is_overrun


async def test_what_cannot_be_subscribed_is_refused_by_name() -> None:
    watched = Watched()

    no_account = await Reader(watched, EVERY).ask(account=99)
    no_field = await Reader(watched).ask(account=1, symbol="BTC-USD")
    twice = Reader(watched)
    await twice.ask(account=1)
    again = await twice.ask()

    assert (no_account["reason"], no_account["field"]) == ("unknown_account", "account")
    assert (no_field["reason"], no_field["field"]) == ("invalid_field", "symbol")
    assert again["reason"] == "already_subscribed"


async def test_an_unsubscribed_channel_is_silent_and_costs_nothing() -> None:
    watched = Watched()
    reader = Reader(watched)
    await reader.ask(account=1)
    await reader.ask(op="unsubscribe", account=1)

    watched.mark("75")
    watched.round()

    assert reader.messages() == []
    assert watched.exchange.hub.is_idle()
    assert watched.exchange.hub.risk.urgent == {}


async def test_a_round_of_many_accounts_is_taken_in_parts() -> None:
    watched = Watched()
    accounts = range(10, 10 + 2 * SAMPLED_PER_TURN)
    for account in accounts:
        watched.exchange.define({"op": "account", "account": account, "deposit": {"USD": "5"}})
        watched.do(op="limits", account=account, max_open_orders=3)
    reader = Reader(watched, EVERY)
    await reader.ask()

    turns = 0
    watched.now += SAMPLE_S
    while watched.sampler.sample(watched.now):
        turns += 1
        assert reader.messages() == []  # a snapshot has them all

    assert turns == 2
    [snapshot] = reader.messages()
    assert [each["account"] for each in snapshot["accounts"]] == [1, *accounts]
