"""No turn of the event loop does more than its budget and one message, however many ask."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.process.turns import MESSAGE_MIN, Turns

BUDGET = 1000


async def costs_by_turn(clients: list[list[int]], looks_first: bool = False) -> list[int]:
    """Let every client work on its messages; return what each turn of the loop has cost.

    looks_first : a client waits only where it has not taken its share without
    """
    turns = Turns(BUDGET)
    costs = [0]

    async def client(sizes: list[int]) -> None:
        for size in sizes:
            if not (looks_first and turns.has_taken(size)):
                await turns.take(size)
            costs[-1] += max(size, MESSAGE_MIN)

    async def heartbeat() -> None:
        while True:
            costs.append(0)
            await asyncio.sleep(0)

    beating = asyncio.create_task(heartbeat())
    try:
        await asyncio.gather(*(client(sizes) for sizes in clients))
    finally:
        beating.cancel()
    return costs


@settings(max_examples=200, deadline=None)
@given(clients=st.lists(st.lists(st.integers(0, 3000), max_size=30), max_size=20), looks_first=st.booleans())
def test_turn_is_bounded_and_all_work_is_done(clients: list[list[int]], looks_first: bool) -> None:
    costs = asyncio.run(costs_by_turn(clients, looks_first))

    assert sum(costs) == sum(max(size, MESSAGE_MIN) for sizes in clients for size in sizes)
    # A heartbeat may fall before or after the renewal within one turn: so two budgets, two messages.
    assert max(costs) <= 2 * (BUDGET + 3000)


def test_one_busy_client_does_not_keep_the_others_waiting() -> None:
    async def served() -> list[str]:
        turns, order = Turns(BUDGET), []

        async def client(name: str, count: int) -> None:
            for _ in range(count):
                await turns.take(BUDGET)
                order.append(name)

        await asyncio.gather(client("busy", 50), client("second", 1), client("third", 1))
        return order

    order = asyncio.run(served())

    assert len(order) == 52
    assert max(order.index("second"), order.index("third")) <= 4


def test_small_messages_within_the_budget_do_not_wait() -> None:
    async def turn_count() -> int:
        turns = Turns(100 * MESSAGE_MIN)
        count = 0

        async def heartbeat() -> None:
            nonlocal count
            while True:
                count += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(heartbeat())
        for _ in range(100):
            await turns.take(1)
        beating.cancel()
        return count

    assert asyncio.run(turn_count()) == 0
