"""Seeded COMMAND records at the edges of int64: what no door would let through, and what barely passes.

Three kinds in one stream: fields at random extremes, orders that come close to the
largest numbers an instrument allows, and a plain order now and then so that the books
are never empty.
"""

from random import Random

import numpy as np

from engine.trading.fields import CAP_BITS, SIZING_BITS, SIZING_PPM_MAX
from engine.trading.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    COMMAND_VERSION,
    FEES,
    LIFTED,
    MONEY_MAX,
    PX_MAX,
    RULE_OPS,
    UNCHANGED,
    CommandFlag,
    Funding,
    Op,
    OrderType,
    Phase,
    Role,
    SelfTradePrevention,
    Side,
    SizingMethod,
    TimeInForce,
    text_words,
)

INT64_MAX = 2**63 - 1
EDGES = (
    *(
        0,
        1,
        -1,
        2,
        7,
        2**31 - 1,
        2**31,
        PX_MAX - 1,
        PX_MAX,
        PX_MAX + 1,
        MONEY_MAX - 1,
        MONEY_MAX,
        MONEY_MAX + 1,
    ),
    *(INT64_MAX, -INT64_MAX, UNCHANGED, LIFTED, -MONEY_MAX, 2**62 + 2**61),
)
BYTES = (-128, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 127)
ACCOUNTS = (1, 2, 3, 4)
WIDE, DEAR = 2**31 - 1, 2**40 - 1  # largest px of the two instruments
NOISY = [op for op in Op if op not in RULE_OPS]
"""To register rules whose source is nowhere ends the process: rules/test_extremes.py names some."""
ROOMS = ((WIDE, 2**31), (DEAR, 2**22))  # (max_px, max_qty)


def extreme_commands(seed: int, count: int) -> np.ndarray:
    """Return COMMAND[n]: a preamble, then `count` commands."""
    random = Random(seed)
    made = [*_preamble()]
    for _ in range(count):
        roll = random.random()
        if roll < 0.08:
            made.append(_sized_order(random))
        elif roll < 0.5:
            made.append(_large_order(random))
        elif roll < 0.65:
            made.append(_large_replace(random))
        elif roll < 0.72:
            made.append(_cancel(random, len(made)))
        elif roll < 0.78:
            made.append(_administration(random))
        elif roll < 0.84:
            made.append(_movement(random))
        else:
            made.append(_noise(random))
    return np.concatenate(made)


def _record(**fields: object) -> np.ndarray:
    record = np.zeros(1, COMMAND)
    record["version"], record["roles"] = COMMAND_VERSION, Role.ALL
    for name, value in fields.items():
        record[name] = value
    return record


def _preamble() -> list[np.ndarray]:
    """No decimals, two instruments at the edge, fees of the whole notional; 1, 2 unlimited, 4 on margin."""
    money = [_record(op=Op.CURRENCY, text=text_words(b"USD"), value=0)]
    instruments = [
        _record(
            op=Op.INSTRUMENT,
            text=(*text_words(name)[:2], taker),
            value=maker,
            account=1,
            client_order_id=1,
            px=px,
            qty=(MONEY_MAX - 1) // px,
            order_id=UNCHANGED,
            display_qty=LIFTED,
            stop_px=LIFTED,
            expiry=LIFTED,
            instrument=1_000_000 if name == b"DEAR" else 0,
        )
        for name, px, maker, taker in (
            (b"WIDE", WIDE, 1_000_000 + (500_000 << 32), 999_999 + (1 << 32)),
            (b"DEAR", DEAR, -1_000_000, 1_000_000),
        )
    ]
    accounts = [
        _record(op=Op.ACCOUNT, account=account, flags=CommandFlag.UNLIMITED, client_order_id=MONEY_MAX // 4)
        for account in ACCOUNTS[:2]
    ]
    return [
        *money,
        *instruments,
        *accounts,
        _record(op=Op.ACCOUNT, account=3, client_order_id=MONEY_MAX // 4),
        _record(op=Op.ACCOUNT, account=4, client_order_id=MONEY_MAX // 4, side=Funding.MARGIN),
    ]


def _near(random: Random, most: int) -> int:
    """Return a number near `most`, near a power of two below it, or small."""
    roll = random.random()
    if roll < 0.3:
        return most - random.randint(0, 3)
    if roll < 0.8:
        return max(1, (most >> random.randint(0, 4)) - random.randint(0, 3))
    return random.randint(1, 5)


def _large_order(random: Random) -> np.ndarray:
    instrument = random.randint(0, 1)
    max_px, max_qty = ROOMS[instrument]
    return _record(
        op=Op.NEW,
        account=random.choice(ACCOUNTS),
        instrument=instrument,
        client_order_id=random.randint(0, INT64_MAX),
        side=random.choice((Side.BUY, Side.SELL)),
        order_type=OrderType.MARKET if random.random() < 0.05 else OrderType.LIMIT,
        time_in_force=random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
        stp_mode=random.choice(list(SelfTradePrevention)),
        flags=CommandFlag.REDUCE_ONLY if random.random() < 0.15 else 0,
        px=_near(random, max_px),
        qty=_near(random, max_qty),
        req_seq=random.choice(EDGES),
        text=tuple(random.choice(EDGES) for _ in range(3)),
    )


def _sized_order(random: Random) -> np.ndarray:
    """An order whose quantity is to be chosen, its arguments at the edges of what they may be."""
    made = _large_order(random)
    method = random.choice((*SizingMethod, *SizingMethod, 0, 5))
    share = random.choice((1, 10**6 - 1, 10**6, SIZING_PPM_MAX, random.choice(EDGES)))
    second = random.choice((0, 1, 18, PX_MAX, SIZING_PPM_MAX, random.randint(1, 2**45)))
    made["flags"] |= CommandFlag.SIZED
    made["qty"] = share if method != SizingMethod.KELLY else random.randint(0, 10**6) | 10**6 << CAP_BITS
    if method == SizingMethod.FIXED_NOTIONAL:
        made["qty"] = random.choice((MONEY_MAX, MONEY_MAX >> random.randint(0, 40), random.choice(EDGES)))
    made["order_id"] = random.choice((method | second << SIZING_BITS, random.choice(EDGES)))
    return made


def _large_replace(random: Random) -> np.ndarray:
    max_px, max_qty = random.choice(ROOMS)
    return _record(
        op=Op.REPLACE,
        account=random.choice(ACCOUNTS),
        order_id=random.randint(1, 3000),
        px=random.choice((UNCHANGED, _near(random, max_px), random.choice(EDGES))),
        qty=random.choice((UNCHANGED, _near(random, max_qty), random.choice(EDGES))),
    )


def _cancel(random: Random, numbered: int) -> np.ndarray:
    return _record(
        op=Op.CANCEL, account=random.choice(ACCOUNTS), order_id=max(1, numbered - random.randint(0, 40))
    )


def _administration(random: Random) -> np.ndarray:
    """Limits, marks, deposits and clocks with edges in them; mostly lifted again."""
    op = random.choice((Op.LIMITS, Op.LIMITS, Op.MARK, Op.ACCOUNT, Op.TIME, Op.PHASE, Op.MASS_CANCEL))
    record = _record(
        op=op, account=random.choice((0, *ACCOUNTS)), instrument=random.choice((ALL_INSTRUMENTS, 0, 1))
    )
    if op == Op.TIME:
        record["value"] = random.choice((random.choice(EDGES[:8]), random.randint(0, 10**12)))
    elif op == Op.PHASE:
        record["value"] = Phase.CONTINUOUS
    elif op == Op.LIMITS and random.random() < 0.7:
        for name in ("px", "qty", "display_qty", "stop_px", "expiry"):
            record[name] = LIFTED
    elif op != Op.MASS_CANCEL:
        for name in ("client_order_id", "px", "qty", "display_qty", "stop_px", "expiry"):
            record[name] = random.choice((0, UNCHANGED, LIFTED, random.choice(EDGES)))
    return record


def _movement(random: Random) -> np.ndarray:
    """Money in, out or over, close to the largest numbers, with one of a few ids."""
    return _record(
        op=random.choice((Op.DEPOSIT, Op.WITHDRAW, Op.TRANSFER, Op.TRANSFER)),
        account=random.choice((FEES, *ACCOUNTS)),
        order_id=random.choice((FEES, *ACCOUNTS)),
        px=random.choice((0, 0, 0, random.choice(EDGES))),
        qty=random.choice((_near(random, MONEY_MAX), random.choice(EDGES))),
        text=(random.choice(EDGES), random.choice(EDGES), random.randint(-3, 3)),
    )


def _noise(random: Random) -> np.ndarray:
    """A record whose every field may be at an edge; never a clock at the end of time."""
    record = _record(op=random.choice([*NOISY, -1, 0, 99]))
    for name in ("side", "order_type", "time_in_force", "stp_mode", "flags"):
        record[name] = random.choice(BYTES)
    for name in ("account", "client_order_id", "order_id", "px", "qty", "display_qty", "stop_px", "expiry"):
        record[name] = random.choice((*EDGES, *ACCOUNTS))
    record["instrument"] = random.choice((0, 1, 2, -1, -(2**31), 2**31 - 1))
    record["value"] = random.choice(EDGES) if record["op"] != Op.TIME else 0
    record["version"] = COMMAND_VERSION if random.random() < 0.9 else random.choice(BYTES)
    record["roles"] = Role.ALL if random.random() < 0.9 else random.choice(BYTES)
    return record
