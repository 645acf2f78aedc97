"""Stories about a card: its last payment, its expiry, what is said of it, the lists that it stands on."""

from perf.traffic.items import Story, changed, set_up
from perf.traffic.population import CLOSED, FROZEN, INACTIVE, UNKNOWN, UNKNOWN_ACCOUNT
from perf.traffic.windows import DAY_MS, MINUTE_MS, edge, month_begin
from perf.traffic.world import RICH, Payer, World

LISTS_OF_CARDS = ("lost", "stolen", "block_card", "allow_card")


def double_charge(world: World, at: int) -> Story:
    """Pay twice the same, sooner or later, with a void, a refund or another payment between."""
    rng, payer = world.rng, Payer(world)
    if world.chance(0.2):
        account, line = world.new_account(balances={payer.currency: 70_000})
        payer.fixed["account"] = account
        yield at, line
    amount = world.amount()
    mine = yield payer.pay(at, amount=amount, allow_partial=world.chance(0.5))
    what, moment = rng.randrange(8), at + 1_000
    if what == 0:
        yield payer.void(mine, moment)
    elif what == 1:
        yield payer.void(mine, moment, amount=amount - 1)
    elif what == 2:
        yield payer.capture(mine, moment, amount=1)
        yield payer.void(mine, moment)
    elif what == 3:
        yield payer.capture(mine, moment)
        yield payer.refund(mine, moment)
    elif what in (4, 5):
        yield payer.pay(moment, amount=amount + 1)
        if what == 5:  # a card that has paid nothing is not taken for the one that was looked up before
            yield payer.pay(moment, amount=amount, card=world.card())
    age = rng.choice((1_000, world.limit("double_charge_ms", 1_000)))
    moment = max(at + age + rng.randrange(-1, 2), moment)
    again = {} if what < 5 else rng.choice(({"merchant": "m2"}, {"currency": "EUR"}, {"amount": amount + 1}))
    yield payer.pay(moment, **{"amount": rng.choice((amount, amount, 70_000)), **again})
    yield payer.pay(moment, amount=amount)


def small_then_large(world: World, at: int) -> Story:
    """Pay very little, then very much."""
    rng, payer = world.rng, Payer(world)
    unit = payer.unit
    small = max(unit + rng.randrange(-1, 2), 1)
    yield payer.pay(at, amount=small)
    if world.chance(0.2):
        yield payer.declined(at)
    age = rng.choice((1_000, world.limit("small_then_large_ms", 1_000)))
    moment = at + age + rng.randrange(-1, 2)
    currency = payer.currency if world.chance(0.9) else "EUR"
    mine = yield payer.pay(moment, amount=100 * unit + rng.randrange(-1, 2), currency=currency)
    if world.chance(0.5):
        yield payer.review(mine, moment + 1, rng.choice(("approve", "approve", "decline")))
    yield payer.pay(moment + 2, amount=100 * unit)


def card_expiry(world: World, at: int) -> Story:
    """Pay around the end of a month with cards that expire then."""
    rng, payer = world.rng, Payer(world)
    days = at // DAY_MS
    year, month = 1970, 1
    while month_begin(year + 1, 1) // DAY_MS <= days:
        year += 1
    while month_begin(year, month + 1) // DAY_MS <= days:
        month += 1
    expiry = f"{year % 100:02}{month:02}"
    ends = month_begin(year, month + 1)
    for moment in (at, ends - 1, ends, ends + 1):
        yield payer.pay(moment, card={**world.card(), "expiry": expiry})
    others = [f"{year % 100 + rng.randrange(-1, 2):02}{rng.randrange(1, 13):02}" for _ in range(2)]
    for other in (*others, rng.choice(("0001", "0002", "0003", "0012", "9912"))):
        yield payer.pay(ends + 1, card={**world.card(), "expiry": other})


def signals(world: World, at: int) -> Story:
    """Pay with a fraud score around its limits, and with a wrong verification value."""
    rng, payer = world.rng, Payer(world)
    declines, reviews = world.limit("score_decline", 900), world.limit("score_review", 700)
    for limit in (declines, reviews):
        score = min(limit + rng.randrange(-1, 2), 1000)
        mine = yield payer.pay(at, score=score, card=world.card())
        if world.chance(0.3):
            yield payer.review(mine, at, rng.choice(("approve", "decline")))
    yield payer.pay(at, score=rng.choice((0, 1000)), card=world.card())
    yield payer.pay(at, cvv_result=rng.choice(("mismatch", "none", "match")), card=world.card())


def cards_on_lists(world: World, at: int) -> Story:
    """Pay with a card before, while and after it stands on a list, or on two."""
    rng, payer = world.rng, Payer(world)
    payer.fixed["card"] = card = {**world.card(), **({"token": "9" * 20} if world.chance(0.1) else {})}
    if "token" in card:
        card.pop("pan", None)
    entry = card.get("token", card.get("pan"))
    names = rng.sample(LISTS_OF_CARDS, rng.choice((1, 1, 2)))
    for name in names:
        others = [world.pan()] if world.chance(0.5) else []
        yield at, set_up("list", list=name, add=[entry, *others])
    moment = at
    for _ in range(4):
        yield payer.pay(moment)
    if world.chance(0.5):
        yield payer.pay(moment, score=950)
        yield payer.pay(moment, cvv_result="mismatch")
    yield moment, set_up("list", list=names[0], remove=[entry])
    yield payer.pay(moment + MINUTE_MS)


def others_on_lists(world: World, at: int) -> Story:
    """Pay with a BIN, from a device, an address or an e-mail that stands on a list, or on several."""
    rng, payer = world.rng, Payer(world)
    digits, number = str(70_000_000 + world.number() % 9_000_000), world.number()
    card = world.card(digits) if world.chance(0.5) else {"token": world.name("tok-"), "expiry": "4912"}
    if "token" in card:
        card["bin"] = digits[: rng.randrange(6, 9)]
    account, line = world.new_account(balances={payer.currency: RICH})
    yield at, line
    bad = {
        "block_bin": rng.choice((digits, digits[:6])),
        "block_account": account,
        "block_device": f"bad-{number}",
        "block_ip": rng.choice((f"198.51.100.{number % 250}", f"2001:db8:{number % 9999}::7")),
        "block_email": f"Bad{number}@Example.org",
    }
    names = rng.sample(sorted(bad), rng.choice((1, 1, 2, 3)))
    for name in names:
        yield at, set_up("list", list=name, add=[bad[name]])
    fields = {
        "account": account,
        "device": bad["block_device"],
        "ip": f"::ffff:{bad['block_ip']}" if "." in str(bad["block_ip"]) else bad["block_ip"],
        "email": str(bad["block_email"]).lower(),
    }
    yield payer.pay(at, card=card, **fields)
    yield payer.pay(at, card=card)
    yield at, set_up("list", list=names[0], remove=[bad[names[0]]])
    yield payer.pay(at + 1, card=card, **fields)


def standing(world: World, at: int) -> Story:
    """Ask merchants and accounts that are unknown, closed, frozen or not active, and change that midway."""
    rng, payer = world.rng, Payer(world)
    what = rng.randrange(4)
    if what == 0:
        for merchant in (UNKNOWN, INACTIVE, world.name("ghost")):
            yield payer.pay(at, merchant=merchant, card=world.card())
        merchant, line = world.take_merchant(active=False)
        yield at, line
        yield payer.pay(at, merchant=merchant)
        yield at, changed(line, active=True)
        yield payer.pay(at + 1, merchant=merchant)
        world.give_back(merchant)
        return
    if what == 1:
        for account in (CLOSED, FROZEN, UNKNOWN_ACCOUNT):
            yield payer.pay(at, account=account, card=world.card(), amount=rng.choice((1, 5_000)))
        return
    account, line = world.new_account(balances={payer.currency: RICH}, count_24h=3)
    payer.fixed["account"] = account
    for _ in range(3):
        yield payer.pay(at, card=world.card())  # not known yet
    yield at, line
    yield payer.pay(at, card=world.card())
    for status in rng.sample(("frozen", "closed", "open"), 3):
        yield at, set_up("account", account=account, status=status, balances={payer.currency: 1})
        yield payer.pay(at, card=world.card())


def month_ends(world: World, at: int) -> Story:
    """Pay with one card in the last and the first millisecond of a day."""
    payer = Payer(world)
    midnight = edge(at, DAY_MS)
    for moment in (midnight - 1, midnight):
        yield payer.pay(moment)
