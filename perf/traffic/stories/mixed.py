"""Stories without a plot: shared cards, accounts and merchants that meet by chance."""

from typing import Any

from perf.traffic.items import CAPTURE, REFUND, VOID, Item, Story, set_up
from perf.traffic.population import SHARED_ACCOUNTS, SHARED_MAX, SHARED_MERCHANTS
from perf.traffic.windows import DAY, HOUR, MINUTE, MINUTE_MS, SECOND_MS, edge
from perf.traffic.world import CHANNELS, COUNTRIES, CURRENCIES, Payer, World

SHARED_CARDS = tuple(
    {"token": f"shared-{n}", "expiry": "4912", "bin": "52000000"} for n in range(10)
) + tuple(
    {"token": f"shared-{n}", "expiry": "4912", "issuer_country": country, "type": "debit"}
    for n, country in enumerate(COUNTRIES * 3, 10)
)
AMOUNTS = (
    1,
    99,
    100,
    101,
    1_000,
    1_001,
    10_000,
    SHARED_MAX - 1,
    SHARED_MAX,
    SHARED_MAX + 1,
    300_000,
    300_001,
)
GAPS_MS = (0, 1, SECOND_MS, 20 * SECOND_MS, MINUTE_MS, HOUR)
BLOCKABLE = {"block_device": "mix-device-1", "block_ip": "203.0.113.1", "block_email": "mix2@example.org"}


def mixed(world: World, at: int) -> Story:
    """Pay here and there, and do something to payments of whoever it was."""
    rng, payer = world.rng, Payer(world)
    moment = at
    for _ in range(rng.randrange(5, 25)):
        luck = rng.random()
        if luck < 0.06:
            moment = edge(moment, rng.choice((MINUTE, HOUR, HOUR, DAY))) - rng.randrange(2)
        else:
            moment += rng.choice(GAPS_MS)
        if luck < 0.75 or not world.recent:
            payer.explains = rng.random() < 0.1
            yield payer.pay(moment, **_asked(world, moment))
        elif luck < 0.93:
            kind = rng.choice((CAPTURE, CAPTURE, VOID, REFUND))
            fields = {} if rng.random() < 0.5 else {"amount": rng.choice(AMOUNTS)}
            yield payer.operate(kind, rng.choice(world.recent), moment, **fields)
        elif luck < 0.97:
            yield payer.review(rng.choice(world.recent), moment, rng.choice(("approve", "decline")))
        else:
            yield moment, _line(world)


def _asked(world: World, moment: int) -> dict[str, Any]:
    rng = world.rng
    return {
        "merchant": rng.choice(SHARED_MERCHANTS),
        "account": rng.choice(SHARED_ACCOUNTS),
        "card": rng.choice(SHARED_CARDS),
        "channel": rng.choice(CHANNELS),
        "currency": rng.choice(CURRENCIES),
        "amount": rng.choice(AMOUNTS) if rng.random() < 0.7 else rng.randrange(1, 600_000),
        "device": f"mix-device-{rng.randrange(5)}" if rng.random() < 0.3 else None,
        "ip": f"203.0.113.{rng.randrange(5)}" if rng.random() < 0.3 else None,
        "email": f"mix{rng.randrange(5)}@example.org" if rng.random() < 0.3 else None,
        "ip_country": rng.choice(COUNTRIES) if rng.random() < 0.5 else None,
        "score": rng.randrange(1001) if rng.random() < 0.3 else None,
        "cvv_result": rng.choice(("match", "mismatch", "none")) if rng.random() < 0.2 else None,
        "sca": True if rng.random() < 0.3 else None,
        "allow_partial": rng.random() < 0.3,
        "received_at": moment - rng.choice((0, 0, 0, 1, 3_000)) if rng.random() < 0.98 else None,
    }


def _line(world: World) -> Item:
    """Return a line that changes something shared: money, a list, an account's limits."""
    rng = world.rng
    account, luck = rng.choice(SHARED_ACCOUNTS), rng.random()
    if luck < 0.5:
        currency = rng.choice(CURRENCIES)
        return set_up("deposit", account=account, currency=currency, amount=10**6, id=world.name("d"))
    if luck < 0.8:
        name = rng.choice(tuple(BLOCKABLE))
        return set_up("list", list=name, **{rng.choice(("add", "remove")): [BLOCKABLE[name]]})
    limits = {of: {"max": rng.choice((1_000, SHARED_MAX))} for of in CURRENCIES if rng.random() < 0.3}
    status = "frozen" if rng.random() < 0.1 else "open"
    return set_up("account", account=account, status=status, limits=limits, count_24h=rng.choice((3, 50)))
