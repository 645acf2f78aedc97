"""A venue's day as DBN and as ITCH bytes: the same orders, cancels, moves and trades, from a seed."""

from random import Random

from tests.gateways.files.venue_files import (
    Row,
    dbn_bytes,
    itch_add,
    itch_delete,
    itch_execute,
    itch_reduce,
    itch_replace,
)

MIDDLE = 19_000  # ticks
SEED = 20_240_325


def day(count: int) -> list[list[Row]]:
    """Return `count` events of one instrument, oldest first in every queue, nothing crossed."""
    rng = Random(SEED)
    queues: dict[tuple[str, int], list[list[int]]] = {}  # (side, ticks) -> [order id, size]
    events: list[list[Row]] = []
    next_id = 1
    while len(events) < count:
        draw, live = rng.random(), [(key, order) for key, queue in queues.items() for order in queue]
        if draw < 0.5 or len(live) < 20:
            key = _place(rng)
            queues.setdefault(key, []).append([next_id, 1 + int(rng.random() * 40)])
            events.append([("A", key[0], next_id, key[1], queues[key][-1][1])])
            next_id += 1
            continue
        key, order = live[int(rng.random() * len(live))]
        if draw < 0.7:
            queues[key].remove(order)
            events.append([("C", key[0], order[0], key[1], order[1])])
        elif draw < 0.85:
            queues[key].remove(order)
            place = _place(rng, key[0])
            queues.setdefault(place, []).append([order[0], 1 + int(rng.random() * 40)])
            events.append([("M", place[0], order[0], place[1], queues[place][-1][1])])
        else:
            events.append(_trade(queues, key[0], 1 + int(rng.random() * 60)))
        queues = {place: queue for place, queue in queues.items() if queue}
    return events


def _place(rng: Random, side: str = "") -> tuple[str, int]:
    """Return a side and a price on its own side of the middle."""
    side = side or ("B" if rng.random() < 0.5 else "A")
    away = 1 + int(rng.random() * 12)
    return side, MIDDLE - away if side == "B" else MIDDLE + away


def _trade(queues: dict[tuple[str, int], list[list[int]]], side: str, size: int) -> list[Row]:
    """Take from the best price of a side; its first orders are filled, which cancels restate."""
    ticks = (max if side == "B" else min)(place for own, place in queues if own == side)
    queue, fills = queues[side, ticks], []
    while size and queue:
        taken = min(size, queue[0][1])
        fills.append(("F", side, queue[0][0], ticks, taken))
        queue[0][1] -= taken
        size -= taken
        if not queue[0][1]:
            del queue[0]
    restated = [("C", *fill[1:]) for fill in fills]
    return [("T", "A" if side == "B" else "B", 0, ticks, sum(fill[4] for fill in fills)), *fills, *restated]


def dbn_day(count: int) -> bytes:
    """Return the day as a DBN file."""
    return dbn_bytes(day(count))


def itch_day(count: int) -> bytes:
    """Return the day as ITCH messages: a move is a replace under a new number, a fill an execution."""
    messages: list[bytes] = []
    numbers: dict[int, int] = {}  # order id -> its number now
    next_number = 1_000_000
    for ts, event in enumerate(day(count), 1):
        is_trade = event[0][0] == "T"
        for action, side, order_id, ticks, size in event:
            number = numbers.get(order_id, order_id)
            if action == "A":
                messages.append(itch_add(order_id, "B" if side == "B" else "S", size, ticks * 100, ts=ts))
            elif action == "C" and is_trade:
                continue  # an execution says it all
            elif action == "C" and size > 1:
                messages += [itch_reduce(number, size - 1), itch_delete(number)]
            elif action == "C":
                messages.append(itch_delete(number))
            elif action == "M":
                next_number += 1
                numbers[order_id] = next_number
                messages.append(itch_replace(number, next_number, size, ticks * 100))
            elif action == "F":
                messages.append(itch_execute(number, size, ts))
    return b"".join(messages)
