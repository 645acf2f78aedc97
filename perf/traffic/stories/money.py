"""Stories about money: balances that are just enough, partial approvals, deposits."""

from perf.traffic.items import Story, set_up
from perf.traffic.windows import DAY_MS
from perf.traffic.world import COUNTRIES, CURRENCIES, Payer, World

SUM_MAX, AMOUNT_MAX = 2**62, 999_999_999_999
"""No sum may pass the one, no amount the other."""
ALL_CURRENCIES = (*CURRENCIES, *("AUD", "CAD", "CHF", "DKK", "GBP", "NOK", "PLN", "SEK", "USD", "CLF"))


def funds(world: World, at: int) -> Story:
    """Ask for all that is available, for one more, for more in part; release some of it and ask again."""
    rng, payer = world.rng, Payer(world)
    there = rng.choice((1, 2, 100, rng.randrange(1_000, 90_000)))
    account, line = world.new_account(balances={payer.currency: there})
    payer.fixed["account"] = account
    yield at, line
    yield payer.pay(at, amount=there + 1, card=world.card(), allow_partial=None)
    if world.chance(0.3):
        yield payer.pay(
            at,
            amount=there + 1,
            card=world.card(),
            allow_partial=True,
            score=world.limit("score_review", 700),
        )
    partial = world.chance(0.5)
    asked = there + rng.choice((0, 1, 5_000))
    mine = yield payer.pay(at, amount=asked, card=world.card(), allow_partial=partial)
    yield payer.pay(at, amount=1, card=world.card(), allow_partial=True)
    yield payer.operate(rng.choice(("void", "capture", "refund")), mine, at, amount=rng.choice((1, there)))
    yield payer.pay(at, amount=rng.choice((1, there, there + 1)), card=world.card())
    yield payer.operate(rng.choice(("void", "capture", "refund")), mine, at)
    yield payer.pay(at, amount=there, card=world.card(), allow_partial=True)
    yield payer.pay(at, amount=1, card=world.card(), currency=rng.choice(CURRENCIES))


def deposits(world: World, at: int) -> Story:
    """Deposit, take out what is there and one more, and repeat that under the same and under another id."""
    rng, payer = world.rng, Payer(world)
    there = rng.randrange(100, 10_000)
    account, line = world.new_account(balances={payer.currency: there})
    if world.chance(0.9):
        yield at, line
    payer.fixed["account"] = account
    yield payer.pay(at, amount=50)
    known = [world.name("d") for _ in range(2)]
    sent = []
    for _ in range(5):
        amount = rng.choice((5, 50, -1, 50 - there, 49 - there, 51 - there, -there, -(10**6), 10**9))
        currency = payer.currency if world.chance(0.8) else rng.choice(CURRENCIES)
        name = rng.choice(known) if world.chance(0.5) else world.name("d")
        line = set_up("deposit", account=account, currency=currency, amount=amount or 1, id=name)
        yield at, line
        sent.append(line)
        if world.chance(0.4):
            yield at, rng.choice(sent)
        if world.chance(0.3):
            yield payer.pay(at, amount=rng.choice((5, 50, there)), card=world.card())
    yield payer.pay(at + DAY_MS - 1 + rng.randrange(2), account=1, card=world.card())
    yield at + DAY_MS, rng.choice(sent)


def largest_sums(world: World, at: int) -> Story:
    """Deposit up to the largest sum that may be, and one more; move the largest amount in and out."""
    payer = Payer(world, op="sale")
    account, line = world.new_account(balances={payer.currency: SUM_MAX - 2})
    yield at, line
    payer.fixed["account"] = account
    mine = -1
    for amount in (3, 2, 1, -1, 2, 1, AMOUNT_MAX, -AMOUNT_MAX, AMOUNT_MAX):
        yield (
            at,
            set_up("deposit", account=account, currency=payer.currency, amount=amount, id=world.name("d")),
        )
        if amount == 1:
            mine = yield payer.pay(at, amount=AMOUNT_MAX - world.rng.randrange(2), card=world.card())
    yield payer.refund(mine, at)


def lines_again(world: World, at: int) -> Story:
    """Say anew what a merchant and an account are, with other limits, in many currencies or in none."""
    rng, payer = world.rng, Payer(world)

    def some(count: int) -> list[str]:
        return rng.sample(ALL_CURRENCIES, count)

    merchant, line = world.take_merchant(
        currencies=some(10),
        limits={of: {"max": 10**6} for of in some(rng.randrange(9))},
        sca_above=dict.fromkeys(some(rng.randrange(3)), 50_000),
        geo_above=dict.fromkeys(some(rng.randrange(3)), 50_000),
        issuer_countries=rng.sample(COUNTRIES, 4),
        disclose={"61": "05", "58": "05"},
    )
    yield at, line
    account, account_line = world.new_account(
        balances=dict.fromkeys(some(8), 10**6),
        limits={of: {"max": 10**5, "sum_24h": 10**6} for of in some(6)},
    )
    yield at, account_line
    payer.fixed |= {"merchant": merchant, "account": account}
    for _ in range(3):
        yield payer.pay(at, currency=rng.choice(ALL_CURRENCIES), card=world.card())
    yield at, set_up("merchant", merchant=merchant, hold_days=rng.randrange(1, 32))
    yield at, set_up("account", account=account, limits={"USD": {"min": 10**6}}, balances={"USD": 5})
    for _ in range(3):
        yield payer.pay(at, currency=rng.choice(ALL_CURRENCIES), card=world.card())
    world.give_back(merchant)
