"""Stories about requests that come twice, and reversals that come before what they reverse."""

from perf.traffic.items import PAY, Body, Item, Story
from perf.traffic.windows import DAY_MS, HOUR_MS
from perf.traffic.world import Payer, World


def repeats(world: World, at: int) -> Story:
    """Send a request again: the same, another one, in another order, after a change, a day later."""
    rng, payer = world.rng, Payer(world)
    if world.chance(0.2):
        payer.fixed["merchant"] = "nobody"
    if world.chance(0.3):
        payer.fixed["cvv_result"] = "mismatch"
    if world.chance(0.2):
        payer.fixed["score"] = world.limit("score_review", 700)
    body = payer.body(at)
    mine = yield at, Item(PAY, body)
    moment = at
    for _ in range(rng.randrange(1, 4)):
        moment += rng.choice((0, 1_000, HOUR_MS))
        yield moment, Item(PAY, _again(world, body, moment))
    if world.chance(0.5):
        yield payer.operate(rng.choice(("capture", "void", "refund")), mine, moment)
    for later in (at + DAY_MS - 1, at + DAY_MS, at + DAY_MS + 1):
        if later >= moment and world.chance(0.7):
            yield later, Item(PAY, _again(world, body, later))


def _again(world: World, body: Body, moment: int) -> Body:
    """Return a body once more, changed in what makes no difference, or in what makes one."""
    rng = world.rng
    again = {**body, "received_at": moment}
    what = rng.randrange(10)
    if what == 0:
        again["explain"] = True
    elif what == 1:
        again.pop("explain", None)
    elif what == 2:
        again = {**dict(reversed(again.items())), "card": dict(reversed(again["card"].items()))}
    elif what == 3:
        again["amount"] += 1
    elif what == 4:
        again["sca"] = False
    elif what == 5:
        again["op"] = "sale" if "op" not in again else "authorise"
    elif what == 6:
        again["card"] = {**again["card"], "type": "prepaid"}
    elif what == 7:
        again.pop("received_at")
    return again


def reversals(world: World, at: int) -> Story:
    """Reverse a payment before it comes, after, twice, and a day later."""
    rng, payer = world.rng, Payer(world)
    if world.chance(0.1):
        payer.fixed["merchant"] = world.name("ghost")
    request = world.name("rev-")
    if world.chance(0.3):
        payer.fixed["cvv_result"] = "mismatch"
    body = payer.body(at, request_id=request)
    before, moment = world.chance(0.6), at
    if not before:
        mine = yield at, Item(PAY, body)
        if world.chance(0.3):
            kind = rng.choice(("capture", "void"))
            yield payer.operate(kind, mine, moment, amount=rng.choice((1, body["amount"])))
    for _ in range(rng.randrange(1, 4)):
        yield payer.reverse(moment, request)
        moment += rng.choice((0, 1_000))
    first = moment
    if before and world.chance(0.3):
        moment = at + rng.choice((DAY_MS - 1, DAY_MS))
    for _ in range(2):
        mine = yield moment, Item(PAY, {**body, "received_at": moment})
    yield payer.reverse(moment, request)
    if world.chance(0.5):
        yield payer.operate(rng.choice(("void", "refund")), mine, moment, request_id=request)
    yield payer.reverse(max(first + DAY_MS, moment) + rng.randrange(2), request)
