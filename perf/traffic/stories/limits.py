"""Stories about limits of merchants and accounts: amounts, sums, counts, and what a merchant permits."""

from perf.traffic.items import Item, Story, changed, set_up
from perf.traffic.windows import BUCKETS, DAY, DAY_MS, HOUR_MS, MINUTE_MS, attempts, edge
from perf.traffic.world import CARD_TYPES, CHANNELS, COUNTRIES, CURRENCIES, RICH, Payer, World

OFFSETS = (-1, 0, 1)


def merchant_amount(world: World, at: int) -> Story:
    """Ask for the least and the most that a merchant takes, and for one more and one less."""
    least = world.rng.randrange(2, 1000)
    most = least + world.rng.randrange(1000)
    payer = Payer(world)
    merchant, line = world.take_merchant(limits={payer.currency: {"min": least, "max": most}})
    payer.fixed["merchant"] = merchant
    yield at, line
    for amount in (least, most):
        for offset in OFFSETS:
            yield payer.pay(at, amount=amount + offset, card=world.card())
    yield payer.pay(at, amount=most + 1, currency=world.rng.choice(CURRENCIES), card=world.card())
    world.give_back(merchant)


def account_amount(world: World, at: int) -> Story:
    """Ask for the least and the most that an account pays, and for one more and one less."""
    least = world.rng.randrange(2, 1000)
    most = least + world.rng.randrange(1000)
    payer = Payer(world)
    limits = {payer.currency: {"min": least, "max": most}}
    account, line = world.new_account(balances=dict.fromkeys(CURRENCIES, RICH), limits=limits)
    payer.fixed["account"] = account
    yield at, line
    for amount in (least, most):
        for offset in OFFSETS:
            yield payer.pay(at, amount=amount + offset, card=world.card())
    yield at, set_up("account", account=account, limits={payer.currency: {"max": least}})
    yield payer.pay(at + 1, amount=1, card=world.card())
    yield payer.pay(at + 1, amount=most, card=world.card())


def merchant_daily(world: World, at: int) -> Story:
    """Bring a merchant's sum of the day to its limit, around midnight, with voids and refunds between."""
    rng, payer = world.rng, Payer(world)
    payer.explains = False
    daily = rng.randrange(2_000_000, 3_000_000)
    midnight = edge(at, DAY_MS)
    at = max(at, midnight - rng.randrange(1, HOUR_MS))
    merchant, line = world.take_merchant(limits={payer.currency: {"daily": daily}})
    payer.fixed["merchant"] = merchant
    yield at, changed(line, limits=None) if world.chance(0.5) else line
    yield payer.pay(at, amount=daily + 1, card=world.card())
    left = daily
    for _ in range(3):
        amount = rng.randrange(1, left // 2)
        mine = yield payer.pay(at, amount=amount, card=world.card(), op="authorise")
        left -= amount
    yield payer.void(mine, at)
    yield at, line
    for offset in (1, 0, 1):
        amount = max(left + offset, 1)
        yield payer.pay(at, amount=amount, card=world.card())
        if offset == 0:
            left = 0
    yield payer.pay(at, amount=1, card=world.card(), currency=rng.choice(CURRENCIES))
    for moment in (midnight - 1, midnight):
        yield payer.pay(moment, amount=1, card=world.card())
    yield payer.pay(midnight, amount=daily, card=world.card())
    yield payer.pay(midnight, amount=daily - 1, card=world.card())
    world.give_back(merchant)


def account_sum_24h(world: World, at: int) -> Story:
    """Bring an account's sum of 24 hours to its limit, and ask again when the first amounts leave it."""
    rng, payer = world.rng, Payer(world)
    payer.explains = False
    limit = rng.randrange(2_000_000, 3_000_000)
    account, line = world.new_account(
        balances={payer.currency: RICH}, limits={payer.currency: {"sum_24h": limit}}
    )
    payer.fixed["account"] = account
    yield at, line
    yield payer.pay(at, amount=limit + 1, card=world.card())
    begin = edge(at, DAY) - rng.randrange(2)
    moment, parts = begin, (limit // 2, limit // 3)
    mine = -1
    for part in parts:
        mine = yield payer.pay(moment, amount=part, card=world.card(), op="authorise")
        moment += rng.choice((0, DAY // 2, DAY))
    yield payer.void(mine, moment)
    left = limit - sum(parts)
    for offset in (1, 0, 1):
        yield payer.pay(moment, amount=left + offset, card=world.card())
    leaves = edge(begin, DAY, 12)
    for moment in (leaves - 1, leaves, leaves, edge(leaves, DAY)):
        amount = parts[0] + rng.randrange(-1, 2)
        yield payer.pay(moment, amount=amount, card=world.card())


def account_sum_of_buckets(world: World, at: int) -> Story:
    """Pay in every bucket of 24 hours, then as much as is left of an account's sum, and one more."""
    payer = Payer(world)
    payer.explains = False
    part = world.rng.randrange(50_000, 90_000)
    limit = BUCKETS * part + 50
    account, line = world.new_account(
        balances={payer.currency: RICH}, limits={payer.currency: {"sum_24h": limit}}, count_24h=BUCKETS + 2
    )
    payer.fixed["account"] = account
    yield at, line
    begin = edge(at, DAY)
    for bucket in range(BUCKETS):
        yield payer.pay(begin + bucket * DAY, amount=part, card=world.card())
    for amount in (51, 50):
        yield payer.pay(begin + (BUCKETS - 1) * DAY, amount=amount, card=world.card())
    for amount in (part + 1, part):
        yield payer.pay(begin + BUCKETS * DAY, amount=amount, card=world.card())


def account_count_24h(world: World, at: int) -> Story:
    """Ask more often than an account may, declines too, and again when the first ones leave the window."""
    rng, payer = world.rng, Payer(world)
    limit = rng.randrange(6)
    account, line = world.new_account(balances={payer.currency: RICH}, count_24h=limit)
    payer.fixed["account"] = account
    yield at, line

    def attempt(moment: int) -> Item:
        result = "mismatch" if world.chance(0.3) else None
        return payer.pay(moment, card=world.card(), cvv_result=result)[1]

    yield from attempts(rng, at, DAY, limit, (0, 1, DAY // 2, DAY), attempt)


def merchant_permits(world: World, at: int) -> Story:
    """Ask a merchant that lists currencies, channels, types of cards or countries for all of them."""
    rng, payer = world.rng, Payer(world)
    card = {"pan": world.pan(), "expiry": "4912"}
    countries = ("AA", *COUNTRIES)  # AA is the country of number 0
    lists = {
        "currencies": rng.sample(CURRENCIES, rng.randrange(3)),
        "channels": rng.sample(CHANNELS, rng.randrange(4)),
        "card_types": rng.sample(CARD_TYPES, rng.randrange(3)),
        "issuer_countries": rng.sample(countries, rng.randrange(4)),
    }
    named = rng.sample(sorted(lists), rng.choice((1, 1, 1, 2, 4)))
    merchant, line = world.take_merchant(**{name: lists[name] for name in named})
    payer.fixed["merchant"] = merchant
    yield at, line
    for _ in range(5):
        kind = rng.choice((*CARD_TYPES, None))
        country = rng.choice((*countries, None))
        of_card = {name: each for name, each in (("type", kind), ("issuer_country", country)) if each}
        yield payer.pay(at, card={**card, "pan": world.pan(), **of_card})
    yield payer.pay(
        at,
        card={"pan": world.pan(), "expiry": "4912"},
        channel=rng.choice(CHANNELS),
        currency=rng.choice(CURRENCIES),
    )
    world.give_back(merchant)


def geo(world: World, at: int) -> Story:
    """Pay from another country than the card's, for as much as the merchant bears and for one more."""
    rng, payer = world.rng, Payer(world)
    above = rng.choice((0, 5, 50_000))
    merchant, line = world.take_merchant(geo_above={payer.currency: above})
    payer.fixed["merchant"] = merchant
    yield at, line
    for amount in (above, above + 1, above + 2):
        card = {**world.card(), "issuer_country": rng.choice(COUNTRIES)}
        mine = yield payer.pay(at, amount=max(amount, 1), card=card, ip_country=rng.choice(COUNTRIES))
        if world.chance(0.3):
            yield payer.review(mine, at + MINUTE_MS, rng.choice(("approve", "decline")))
            at += MINUTE_MS
    card.pop("issuer_country")
    yield payer.pay(at, amount=above + 1, card=card, ip_country="DE")
    yield payer.pay(at, amount=above + 1, card={**card, "issuer_country": "DE"}, ip_country=None)
    for issuer, ip in (("AA", "DE"), ("DE", "AA")):  # AA is the country of number 0
        yield payer.pay(at, amount=above + 1, card={**card, "issuer_country": issuer}, ip_country=ip)
    yield payer.pay(at, amount=above + 1, currency=rng.choice(CURRENCIES), ip_country="DE")
    world.give_back(merchant)


def sca(world: World, at: int) -> Story:
    """Pay over the internet without strong authentication, for as much as may be and for one more."""
    rng, payer = world.rng, Payer(world, channel="ecom")
    above = rng.choice((0, 5, 50_000))
    merchant, line = world.take_merchant(sca_above={payer.currency: above}, geo_above={payer.currency: above})
    payer.fixed["merchant"] = merchant
    yield at, line
    for amount in (above, above + 1, above + 2):
        country = rng.choice((None, *COUNTRIES))
        mine = yield payer.pay(at, amount=max(amount, 1), card=world.card(), ip_country=country)
    yield payer.void(mine, at)
    yield payer.pay(at, amount=above + 1, card=world.card(), sca=True)
    yield payer.pay(at, amount=above + 1, card=world.card(), sca=False)
    yield payer.pay(at, amount=above + 1, card=world.card(), channel=rng.choice(CHANNELS))
    world.give_back(merchant)
