"""The documented order flows: what share of which command, on how many symbols, from which source.

Shares are parts per thousand and exact in the long run. The number of live orders stays
level because one thing in each mix gives way (see `give`): how often a limit order or a
replace crosses the spread, or how many resting orders an aggressor takes.

Sources
    exchange-core  README of the exchange-core project, benchmark configuration: one symbol,
                   9% GTC, 3% IOC, 6% cancel, 82% move, about 6% of messages trade, 1,000
                   accounts, about 1,000 live orders in about 750 price slots.
    distance       Zovko and Farmer, The power of patience, Quantitative Finance 2 (2002) 387:
                   limit prices lie from the best price by a power law, exponent about 1.5.
    size           Gopikrishnan, Plerou, Gabaix and Stanley, Statistical properties of share
                   volume traded, Physical Review E 62 (2000) R4493: cumulative exponent
                   about 1.5; most orders are small, a few very large.
    accounts       Zipf's law with exponent 1: a few accounts send most orders.
    nasdaq         the proportions of an equity venue's TotalView day: nearly as many
                   deletes as adds, few replaces, about one aggressor in 25 messages.
Symbols are drawn evenly and orders to cancel or replace evenly among all that live. Both are
harder on the caches than life, where few symbols and the newest orders get most messages.
"""

from dataclasses import dataclass, replace

GIVE_CROSSING = 1
GIVE_DEPTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One order flow. Shares are in parts per thousand, distances in ticks, sizes in lots."""

    name: str
    summary: str
    symbol_count: int
    live_orders: int
    account_count: int = 1000
    zipf_accounts: bool = True
    new_share: int
    cancel_share: int
    replace_share: int
    aggressive_share: int
    market_share: int = 0
    """Aggressive commands, in parts per thousand of them, that are MARKET instead of IOC limits."""
    distance_max: int = 200
    uniform_distance: bool = False
    size_max: int = 1000
    uniform_size: bool = False
    qty_replace_share: int = 0
    """Replaces, in parts per thousand of them, that lower the quantity instead of moving the price."""
    give: int
    crossing_new: int = 0
    """New limit orders that cross, in parts per thousand of them, before the feedback."""
    crossing_replace: int = 0
    taker_depth: tuple[int, ...] = ()
    """Weights of 0, 1, 2 ... resting orders that an aggressor takes whole; empty: a drawn size."""
    has_account_limits: bool = False
    """Every account has every limit that it can have, none of which refuses or latches."""
    mark_every: int = 0
    """Commands between two marks, of one symbol after the other; 0: the last trade is the mark."""

    def __post_init__(self) -> None:
        total = self.new_share + self.cancel_share + self.replace_share + self.aggressive_share
        if total != 1000:
            raise ValueError(f"mix {self.name}: shares sum to {total}, must be 1000")


EXCHANGE_CORE = Mix(
    name="a-exchange-core",
    summary="one symbol, 9% GTC, 3% IOC, 6% cancel, 82% replace; 1,000 live orders on 750 prices; 6% trade",
    symbol_count=1,
    live_orders=1000,
    zipf_accounts=False,
    new_share=90,
    cancel_share=60,
    replace_share=820,
    aggressive_share=30,
    distance_max=830,
    uniform_distance=True,
    size_max=100,
    uniform_size=True,
    give=GIVE_CROSSING,
    crossing_replace=36,
    taker_depth=(1000,),
)

POWER_LAW = Mix(
    name="b-power-law",
    summary="one symbol, 45% new, 28% cancel, 22% replace, 5% market or IOC; power-law distance and size",
    symbol_count=1,
    live_orders=2000,
    new_share=450,
    cancel_share=280,
    replace_share=220,
    aggressive_share=50,
    market_share=500,
    qty_replace_share=200,
    give=GIVE_CROSSING,
    crossing_new=135,
)

POWER_LAW_100 = Mix(
    name="c-power-law-100",
    summary="as b on 100 symbols",
    symbol_count=100,
    live_orders=20_000,
    new_share=450,
    cancel_share=280,
    replace_share=220,
    aggressive_share=50,
    market_share=500,
    qty_replace_share=200,
    give=GIVE_CROSSING,
    crossing_new=135,
)

NASDAQ = Mix(
    name="d-nasdaq",
    summary="100 symbols, 49% add, 45% delete, 2% replace, 4% aggressive; 20,000 live orders",
    symbol_count=100,
    live_orders=20_000,
    new_share=490,
    cancel_share=450,
    replace_share=20,
    aggressive_share=40,
    give=GIVE_DEPTH,
    taker_depth=(250, 550, 150, 50),
)

SCALE = Mix(
    name="scale-1m",
    summary="as b on 10,000 symbols with 1,000,000 live orders",
    symbol_count=10_000,
    live_orders=1_000_000,
    account_count=10_000,
    new_share=450,
    cancel_share=280,
    replace_share=220,
    aggressive_share=50,
    market_share=500,
    qty_replace_share=200,
    give=GIVE_CROSSING,
    crossing_new=135,
)

MIXES = (EXCHANGE_CORE, POWER_LAW, POWER_LAW_100, NASDAQ)
"""The four mixes that every tier is measured on."""

LIMITED = tuple(
    replace(mix, name=f"{mix.name}-limits", summary=f"as {mix.name[0]}, every limit set, a mark in 1,000",
            has_account_limits=True, mark_every=1000)
    for mix in MIXES
)  # fmt: skip
"""The four mixes where every account has every limit."""

LAST_TRADE = replace(
    POWER_LAW,
    name="b-last-trade",
    summary="as b, 10,000 accounts with every limit, valued at the last trade",
    account_count=10_000,
    has_account_limits=True,
)

EVERY_MIX = {mix.name: mix for mix in (*MIXES, *LIMITED, LAST_TRADE, SCALE)}
