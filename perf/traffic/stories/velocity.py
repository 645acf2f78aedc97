"""Stories about how often cards pay and are declined, and with how many cards one device is seen."""

from collections.abc import Callable

from perf.traffic.items import Body, Item, Story
from perf.traffic.windows import DAY, DAY_MS, HOUR, HOUR_MS, MINUTE, MONTH, SECOND_MS, attempts, edge
from perf.traffic.world import EXPIRY, Payer, World


def card_1m(world: World, at: int) -> Story:
    """Pay with one card more often than a minute allows."""
    payer = Payer(world)
    limit = world.limit("card_1m", 3)
    gaps = (0, 1, MINUTE // 3, MINUTE)
    yield from attempts(world.rng, at, MINUTE, limit + 1, gaps, lambda moment: payer.pay(moment)[1])


def card_1h(world: World, at: int) -> Story:
    """Pay with one card more often than an hour allows, slowly enough for each minute."""
    payer = Payer(world)
    limit = world.limit("card_1h", 10)
    gaps = (60 * SECOND_MS, 61 * SECOND_MS, HOUR)
    yield from attempts(world.rng, at, HOUR, limit + 1, gaps, lambda moment: payer.pay(moment)[1])


def card_declines_1h(world: World, at: int) -> Story:
    """Let a card be declined as often as an hour allows, then pay with it."""
    payer, rng = Payer(world), world.rng
    limit = world.limit("card_declines_1h", 5)
    begin = edge(at, HOUR) - rng.randrange(2)
    moment = begin
    for _ in range(limit + rng.randrange(-1, 1)):
        yield payer.declined(moment)
        moment += rng.choice((60 * SECOND_MS, 61 * SECOND_MS, 2 * HOUR // 3))
    yield payer.pay(moment)
    leaves = edge(begin, HOUR, 12)
    for moment in (leaves - 1, leaves, edge(leaves, HOUR), edge(leaves, HOUR, 9)):
        if moment > begin + HOUR and world.chance(0.8):
            yield payer.pay(moment)


def bin_declines_1h(world: World, at: int) -> Story:
    """Let cards of one BIN be declined as often as an hour allows, then pay with another one of it."""
    payer, rng = Payer(world), world.rng
    limit = world.limit("bin_declines_1h", 6)
    digits = "00000000" if world.chance(0.1) else str(60_000_000 + world.number() * 100 % 9_000_000)

    def card() -> Body:
        luck = rng.random()
        if luck < 0.5:
            return world.card(digits)
        length = rng.choice((6, 7, 8))
        return {"token": world.name("tok-"), "bin": digits[:length], "expiry": EXPIRY}

    begin = edge(at, HOUR) - rng.randrange(2)
    moment = begin
    of_six = rng.random() < 0.5
    for _ in range(limit + rng.randrange(-1, 2)):
        one = {"token": world.name("tok-"), "bin": digits[: rng.choice((6, 7))], "expiry": EXPIRY}
        yield payer.declined(moment, card=one if of_six else world.card(digits))
        moment += rng.choice((0, 1, HOUR // 2))
    for _ in range(2):
        yield payer.pay(moment, card=card())
    leaves = edge(begin, HOUR, 12)
    for moment in (leaves - 1, leaves, edge(leaves, HOUR)):
        yield payer.pay(moment, card=card())
    yield payer.pay(moment, card={"token": world.name("tok-"), "expiry": EXPIRY})


def device_cards_24h(world: World, at: int) -> Story:
    """See more cards with one device than a day allows."""
    device = world.name("device ü ")
    yield from _sightings(world, at, DAY, world.limit("device_cards_24h", 3), lambda: {"device": device})


def ip_cards_1h(world: World, at: int) -> Story:
    """See more cards with one address than an hour allows, however the address is written."""
    rng, number = world.rng, world.number()
    high, low = number // 250 % 250, number % 250
    of_four = (f"172.16.{high}.{low}", f"::ffff:172.16.{high}.{low}", f"::FFFF:ac10:{high:02x}{low:02x}")
    of_six = (f"2001:db8:{high:x}:{low:x}::{rng.randrange(9)}", f"2001:0DB8:{high:x}:{low:x}:9:8:7:6")
    spelt = of_four if rng.random() < 0.5 else of_six
    limit = world.limit("ip_cards_1h", 5)
    yield from _sightings(world, at, HOUR, limit, lambda: {"ip": rng.choice(spelt)})


def email_cards_24h(world: World, at: int) -> Story:
    """See more cards with one e-mail than a day allows, in large and in small letters."""
    email = world.name("Payer.Ä")
    spelt = (f"{email}@example.org", f"{email}@EXAMPLE.org", f"pAYER.Ä{email[7:]}@example.ORG")
    limit = world.limit("email_cards_24h", 2)
    yield from _sightings(world, at, DAY, limit, lambda: {"email": world.rng.choice(spelt)})


def _sightings(world: World, at: int, bucket_ms: int, limit: int, where: Callable[[], Body]) -> Story:
    """Pay from one place with as many cards as may be seen there, and with some more."""
    payer, rng = Payer(world), world.rng
    seen = [world.card()]
    count = 40 if limit > 20 and rng.random() < 0.5 else limit + 1

    def attempt(moment: int) -> Item:
        if rng.random() < 0.8:
            seen.append(world.card())
        card = seen[-1] if rng.random() < 0.9 else rng.choice(seen)
        result = "mismatch" if rng.random() < 0.1 else None
        return payer.pay(moment, card=card, cvv_result=result, **where())[1]

    yield from attempts(rng, at, bucket_ms, count, (0, 1, bucket_ms // 5), attempt)


def scheme_retry(world: World, at: int) -> Story:
    """Let a card be declined at one merchant as often as 30 days allow, then pay there and elsewhere."""
    payer, rng = Payer(world), world.rng
    limit = world.limit("scheme_retry", 20)
    begin = edge(at, MONTH) - rng.randrange(2) if rng.random() < 0.5 else at
    moment = begin
    for _ in range(limit + rng.randrange(-1, 1)):
        yield payer.declined(moment)
        moment += rng.choice((HOUR_MS // 4, HOUR_MS // 2, HOUR_MS))
    moment += 2 * HOUR_MS
    yield payer.pay(moment)
    yield payer.pay(moment, merchant="m1")
    leaves = edge(begin, MONTH, 12)
    for later in (leaves - 1, leaves, leaves + DAY_MS, edge(leaves, MONTH)):
        yield payer.pay(later)


TELLERS = (
    *(card_1m, card_1h, card_declines_1h, bin_declines_1h),
    *(device_cards_24h, ip_cards_1h, email_cards_24h, scheme_retry),
)
"""The stories of this file."""
