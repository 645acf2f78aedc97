"""Stories about what becomes of a payment: captures, voids, refunds, reviews, and holds that expire."""

from perf.traffic.items import CAPTURE, OPERATIONS, REFUND, REVIEW, VOID, Item, Story, changed, set_up
from perf.traffic.windows import DAY_MS, HOUR_MS, MINUTE_MS
from perf.traffic.world import RICH, Payer, World

MOVES = (CAPTURE, VOID, REFUND)


def review_score(world: World) -> int:
    """Return a score for which payments are reviewed."""
    return world.limit("score_review", 700)


def parts(world: World, at: int) -> Story:
    """Capture, void and refund a payment in parts, at last with one unit too much."""
    rng, payer = world.rng, Payer(world)
    amount = rng.randrange(5, 200)
    mine = yield payer.pay(at, amount=amount, op=rng.choice(("authorise", "authorise", "sale")))
    kinds = rng.choices(MOVES, (5, 2, 4), k=rng.randrange(3, 9))
    moment = at
    for kind in kinds:
        moment += rng.choice((0, 1, MINUTE_MS, HOUR_MS))
        asked = rng.choice((None, 1, 1, 2, amount // 3, amount // 2, amount - 1, amount, amount + 1))
        fields = {} if asked is None else {"amount": max(asked, 1)}
        if kind == CAPTURE and world.chance(0.2):
            fields["final"] = world.chance(0.7)
        yield payer.operate(kind, mine, moment, **fields)


def exact_rest(world: World, at: int) -> Story:
    """Move a payment's amount in two parts that add up to it, or to one more, or to one less."""
    rng, payer = world.rng, Payer(world)
    amount = rng.randrange(10, 1000)
    first = rng.randrange(1, amount)
    second = amount - first + rng.randrange(-1, 2)
    mine = yield payer.pay(at, amount=amount, op="authorise")
    kind, other = rng.choice(((CAPTURE, CAPTURE), (VOID, VOID), (CAPTURE, VOID), (VOID, CAPTURE)))
    yield payer.operate(kind, mine, at, amount=first)
    if second:
        yield payer.operate(other, mine, at, amount=second)
    if kind == CAPTURE:
        back = rng.randrange(1, first + 1)
        yield payer.refund(mine, at, amount=back)
        yield payer.refund(mine, at, amount=max(first - back + rng.randrange(-1, 2), 1))
        yield payer.refund(mine, at)
    yield payer.operate(rng.choice(MOVES), mine, at)


def known_operations(world: World, at: int) -> Story:
    """Send operations twice under one request_id: the same, or another amount, kind or payment."""
    rng, payer = world.rng, Payer(world)
    mine = yield payer.pay(at, amount=1000)
    other = yield payer.pay(at, amount=1001, card=world.card())
    body = {"request_id": world.name("op-"), "received_at": at, "amount": rng.choice((100, 2000))}
    kind = rng.choice(MOVES)
    yield at, Item(kind, body, mine)
    for _ in range(rng.randrange(1, 4)):
        again, of = dict(body), mine
        what = rng.randrange(7)
        if what == 0:
            again["amount"] = 101
        elif what == 1:
            again.pop("amount")
        elif what == 2:
            kind = rng.choice(MOVES)
        elif what == 3:
            of = other
        elif what == 4:
            again["received_at"] = at + 5
        elif what == 5:
            again.pop("received_at")
        yield at + 5, Item(kind, again, of)
        if world.chance(0.3):
            yield payer.capture(mine, at + 5, amount=1)


def holds_end(world: World, at: int) -> Story:
    """Touch a hold in the last millisecond before it ends by itself, or in the first one after."""
    rng, payer = world.rng, Payer(world)
    days = rng.choice((1, 1, 1, 2, 7, 31))
    merchant, line = world.take_merchant(hold_days=days)
    payer.fixed["merchant"] = merchant
    yield at, line
    account, account_line = world.new_account(balances={payer.currency: 1000})
    yield at, account_line
    is_review = world.chance(0.4)
    fields = {
        "account": account,
        "amount": 1000,
        "op": "authorise",
        "score": review_score(world) if is_review else 0,
    }
    mine = yield payer.pay(at, **fields)
    if world.chance(0.3):
        yield at, changed(line, hold_days=5)
    if not is_review and world.chance(0.5):
        yield payer.capture(mine, at + HOUR_MS, amount=rng.randrange(1, 999))
    moment = at + days * DAY_MS + rng.randrange(-1, 2)
    kind = rng.choice((*OPERATIONS, "pay"))
    if kind == "pay":
        yield payer.pay(moment, account=account, amount=1000, card=world.card())
    elif kind == REVIEW:
        yield payer.review(mine, moment, rng.choice(("approve", "decline")))
    else:
        yield payer.operate(kind, mine, moment)
    yield payer.operate(rng.choice(MOVES), mine, moment + 1)
    world.give_back(merchant)


def reviews(world: World, at: int) -> Story:
    """Decide payments in review, of accounts frozen, closed, empty or held by then, and some twice."""
    rng, payer = world.rng, Payer(world)
    amount = world.amount()
    account, line = world.new_account(balances={payer.currency: amount + rng.randrange(2)})
    merchant, merchant_line = world.take_merchant(
        hold_days=rng.choice((1, 7)), limits={payer.currency: {"daily": RICH}}
    )
    payer.fixed |= {"account": account, "merchant": merchant, "score": review_score(world), "amount": amount}
    yield at, line
    yield at, merchant_line
    mine = yield payer.pay(at)
    what, moment = rng.randrange(6), at + MINUTE_MS
    if what == 0:
        yield moment, set_up("account", account=account, status=rng.choice(("frozen", "closed")))
    elif what == 1:
        yield moment, set_up("deposit", account=account, currency=payer.currency, amount=-2, id="d")
    elif what == 2:
        yield payer.operate(rng.choice(MOVES), mine, moment)
    elif what == 3:
        yield payer.pay(moment, op="authorise", amount=1, score=0, card=world.card())
    yield payer.review(mine, moment, rng.choice(("approve", "approve", "decline")))
    if what == 0:
        yield moment, set_up("account", account=account)
    elif what == 1:
        yield moment, set_up("deposit", account=account, currency=payer.currency, amount=2, id="e")
    yield payer.review(mine, moment + 1, rng.choice(("approve", "decline")))
    yield payer.operate(rng.choice(MOVES), mine, moment + 1, amount=rng.choice((1, amount)))
    yield payer.pay(moment + 2, score=0, card=payer.fixed["card"])
    yield payer.operate(rng.choice(MOVES), mine, moment + 3)
    yield payer.void(mine, moment + DAY_MS + rng.randrange(-1, 2))
    world.give_back(merchant)


def unusual_states(world: World, at: int) -> Story:
    """Try operations on payments that are declined, stepped up, in review, or not there."""
    rng, payer = world.rng, Payer(world)
    mine = yield payer.declined(at) if world.chance(0.5) else payer.pay(at, merchant="nobody")
    for kind in OPERATIONS:
        if kind == REVIEW:
            yield payer.review(mine, at, rng.choice(("approve", "decline")))
        else:
            yield payer.operate(kind, mine, at)
    yield at, Item(rng.choice(MOVES), {"request_id": world.name("o"), "received_at": at}, -2)
    yield at, Item(REVIEW, {"outcome": "approve", "received_at": at}, -2)


def many_operations(world: World, at: int) -> Story:
    """Send more operations on one payment than are remembered."""
    payer = Payer(world)
    mine = yield payer.pay(at, amount=1000, op="authorise")
    names = [world.name("many-") for _ in range(66)]
    for name in names:
        yield payer.capture(mine, at, request_id=name, amount=1)
    yield payer.capture(mine, at, request_id=names[0], amount=1)
    yield payer.refund(mine, at)


def many_holds_end(world: World, at: int) -> Story:
    """Let more holds end at once than leave with one command."""
    payer = Payer(world)
    payer.explains = False
    merchant, line = world.take_merchant(hold_days=1)
    yield at, line
    mine = -1
    for place in range(150):
        mine = yield payer.pay(
            at + place // 50, merchant=merchant, amount=5, card=world.card(), op="authorise"
        )
    yield payer.void(mine, at + DAY_MS + 1)
    yield payer.void(mine, at + DAY_MS + 2)
    world.give_back(merchant)
