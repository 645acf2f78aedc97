import msgspec

from api.streams.outbox import Outbox
from api.streams.pump import Sampler
from tests.api.exchange import Exchange


async def test_book_is_shown_only_when_its_seq_is_durable() -> None:
    exchange, outbox = Exchange(), Outbox(lambda: None)
    await exchange.hub.subscribe_book(outbox, 0, 5)
    outbox.take()
    sampler = Sampler(exchange.hub)
    sampler.sample()

    exchange.durable_seq = exchange.view.seq
    exchange.order(1, "buy", "100", "1")
    before = (sampler.sample(), outbox.take())
    exchange.durable_seq = None
    after = sampler.sample()

    assert before == (0, None)
    assert after == 1
    assert b'"100","1",1' in (outbox.take() or b"")


async def test_untouched_book_is_not_copied_again() -> None:
    exchange, outbox = Exchange(), Outbox(lambda: None)
    await exchange.hub.subscribe_book(outbox, 0, 5)
    sampler = Sampler(exchange.hub)
    sampler.sample()

    assert sampler.sample() == 0


async def test_every_depth_of_a_book_gets_its_own_levels() -> None:
    exchange = Exchange()
    outboxes = {depth: Outbox(lambda: None) for depth in (1, 3)}
    for depth, outbox in outboxes.items():
        await exchange.hub.subscribe_book(outbox, 0, depth)
        outbox.take()
    sampler = Sampler(exchange.hub)

    for price in ("100", "99", "98", "97"):
        exchange.order(1, "buy", price, "1")
    sampler.sample()

    deltas = {depth: msgspec.json.decode(outbox.take() or b"") for depth, outbox in outboxes.items()}
    assert {depth: len(delta["bids"]) for depth, delta in deltas.items()} == {1: 1, 3: 3}


async def test_ticker_follows_the_best_prices() -> None:
    exchange, outbox = Exchange(), Outbox(lambda: None)
    await exchange.hub.subscribe_ticker(outbox, 0)
    outbox.take()
    sampler = Sampler(exchange.hub)

    exchange.order(1, "buy", "100", "2")
    exchange.order(2, "sell", "100", "1")
    exchange.order(2, "sell", "103", "1")
    sampler.sample()

    ticker = msgspec.json.decode(outbox.take() or b"")
    assert [ticker[name] for name in ("best_bid", "best_bid_quantity", "best_ask", "last", "volume")] == [
        "100",
        "1",
        "103",
        "100",
        "1",
    ]
