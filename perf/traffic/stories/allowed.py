"""Stories about cards that may do everything: each breaks a rule that is lifted for them."""

from collections.abc import Callable

from perf.traffic.items import Story, set_up
from perf.traffic.world import EXPIRY, Payer, World


def allowed(world: World, at: int) -> Story:
    """Put a card on `allow_card`, and break a rule with it."""
    pan = world.pan()
    payer = Payer(world, card={"pan": pan, "expiry": EXPIRY, "issuer_country": "DE"})
    yield at, set_up("list", list="allow_card", add=[pan])
    yield from world.rng.choice(BROKEN)(payer, at)


def often(payer: Payer, at: int) -> Story:
    """Pay more often than an hour allows, and than a minute does."""
    for _ in range(payer.world.limit("card_1h", 10) + 1):
        yield payer.pay(at)


def though_declined(payer: Payer, at: int) -> Story:
    """Pay after as many declines as any rule allows."""
    for _ in range(payer.world.limit("scheme_retry", 20) + 1):
        yield payer.declined(at)
    yield payer.pay(at)


def where_others_pay(payer: Payer, at: int) -> Story:
    """Pay where more cards than may be have paid before."""
    world = payer.world
    address = f"10.250.0.{world.number() % 250}"
    place = {"device": world.name("dev-"), "ip": address, "email": "all@example.org"}
    limits = (world.limit("device_cards_24h", 3), world.limit("ip_cards_1h", 5))
    for _ in range(max(limits)):
        yield payer.pay(at, card=world.card(), **place)
    for name, value in place.items():
        yield payer.pay(at, **{name: value})


def twice(payer: Payer, at: int) -> Story:
    """Pay the same at once again."""
    for _ in range(2):
        yield payer.pay(at, amount=30_000)


def scored(payer: Payer, at: int) -> Story:
    """Pay with a score that is reviewed, and with one that is declined."""
    yield payer.pay(at, score=payer.world.limit("score_review", 700))
    yield payer.pay(at, score=1000)


def from_abroad(payer: Payer, at: int) -> Story:
    """Pay from another country than the card's."""
    merchant, line = payer.world.take_merchant(geo_above={payer.currency: 1})
    payer.fixed["merchant"] = merchant
    yield at, line
    yield payer.pay(at, ip_country="FR")
    payer.world.give_back(merchant)


def grown(payer: Payer, at: int) -> Story:
    """Pay very little, then very much."""
    yield payer.pay(at, amount=1)
    yield payer.pay(at, amount=100 * payer.unit)


BROKEN: tuple[Callable[[Payer, int], Story], ...] = (
    *(often, though_declined, where_others_pay, twice, scored, from_abroad, grown),
)
