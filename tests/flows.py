"""Seeded random command streams, concentrated so that every rule of the exchange is met again and again.

A Flow looks at the oracle's books while it writes, so that cancels and replaces mostly
name live orders and prices mostly lie where something happens: few accounts, few
prices, small quantities. The same (seed, count) always gives the same stream.
"""

from collections.abc import Callable
from random import Random

from tests import (
    flow_groups,
    flow_kills,
    flow_losses,
    flow_margin,
    flow_money,
    flow_reducing,
    flow_sizing,
)
from tests.flow_venue import PREAMBLE, Command
from tests.oracle import Event, Exchange
from tests.oracle_market import Instrument, Order

MIDDLE = {"XYZ": 1000, "ABC": 40, "ONE": 100}  # ticks
SPREAD = 4  # ticks to either side in which orders come
ACCOUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 9)
STRANGER = 77
PREVENTIONS = ("none", "cancel_newest", "cancel_oldest", "cancel_both", "decrement")
NO_LIMITS = dict.fromkeys(("max_quantity", "max_notional", "band_low", "band_high", "max_open_orders"))
NO_ACCOUNT_LIMITS = {"max_open_orders": None, "max_position": None, "order_rate": None, "order_burst": None}

HOME = {6: "XYZ", 7: "ABC", 8: "XYZ", 9: "ABC"}  # accounts with money of one currency, and what they deal in


class Flow:
    """One stream: `next` writes a command, looking at the exchange that applied those before."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.next_client_id = 1
        self.now = 0
        self.is_calm = seed % 2 == 0  # every other stream is mostly orders that meet orders

    def next(self, exchange: Exchange) -> Command:
        """Return the next command of the stream."""
        make = self.random.choices(MAKERS, WEIGHTS)[0]
        if self.is_calm and make in DISTURBING and self.chance(0.93):
            make = self.random.choice(CALMING)
        return make(self, exchange)

    # What commands are made of

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def symbol(self) -> str:
        return self.random.choices(("XYZ", "ABC", "ONE"), (6, 3, 2))[0]

    def account(self) -> int:
        return STRANGER if self.chance(0.005) else self.random.choice(ACCOUNTS)

    def client_id(self) -> int | str | None:
        """Return a fresh id, number or text; now and then none, or a used one."""
        roll = self.random.random()
        if roll < 0.03:
            return None
        if roll < 0.06:
            return self.random.randint(max(1, self.next_client_id - 30), self.next_client_id)
        if roll < 0.063:
            return self.random.choice((0, -5))
        self.next_client_id += 1
        if roll < 0.08:
            uuid = f"{self.next_client_id:08x}-abcd-4000-8000-000000000000"
            return uuid.upper() if self.chance(0.5) else uuid
        return f"order-{self.next_client_id}" if roll < 0.1 else self.next_client_id

    def ticks(self, symbol: str) -> int:
        """Return a price near the middle, now and then far away or nonsensical."""
        roll = self.random.random()
        if roll < 0.01:
            return self.random.choice((0, -1, 1, 2**33, MIDDLE[symbol] * 2))
        return MIDDLE[symbol] + self.random.randint(-SPREAD, SPREAD)

    def price(self, exchange: Exchange, symbol: str) -> str:
        instrument = exchange.instruments[symbol]
        return instrument.price_text(self.ticks(symbol))

    def quantity(self, exchange: Exchange, symbol: str) -> str:
        roll = self.random.random()
        lots = self.random.randint(1, 12)
        if roll < 0.01:
            lots = self.random.choice((0, -3, 26, 500, 2**31, 2**40))
        return exchange.instruments[symbol].quantity_text(lots)

    def live(self, exchange: Exchange) -> tuple[Instrument, Order] | None:
        """Return a live order, or now and then one that has ended."""
        if self.chance(0.05) and exchange.orders:
            return exchange.orders[self.random.choice(list(exchange.orders)[-40:])]
        open_orders = [found for account in exchange.accounts.values() for found in account.open.values()]
        return self.random.choice(open_orders) if open_orders else None

    def name_of(self, order: Order) -> Command:
        """Name an order by either id, now and then from another account."""
        account = self.account() if self.chance(0.03) else order.account
        by_client_id = order.client_id is not None and self.chance(0.7)
        named = {"client_order_id": order.client_id} if by_client_id else {"order_id": order.order_id}
        return {"account": account, **named}

    # Commands

    def new(self, exchange: Exchange) -> Command:
        account = self.account()
        symbol = self.symbol() if account not in HOME or self.chance(0.01) else HOME[account]
        command: Command = {
            "op": "new",
            "client_order_id": self.client_id(),
            "account": account,
            "symbol": symbol,
            "side": self.random.choice(("buy", "sell")),
            "price": self.price(exchange, symbol),
            "quantity": self.quantity(exchange, symbol),
            "self_trade_prevention": self.random.choice(PREVENTIONS),
        }
        roll = self.random.random()
        if roll < 0.1:
            command["type"] = "limit"
            command["time_in_force"] = "ioc"
        elif roll < 0.22:
            command["time_in_force"] = "fok"
        elif roll < 0.3:
            command["time_in_force"] = "day"
        elif roll < 0.4:
            command["post_only"] = True
        elif roll < 0.52:
            self.make_market(command)
        elif roll < 0.53:
            self.make_unusual(command)
        return command

    def make_market(self, command: Command) -> None:
        command["type"] = "market"
        if self.chance(0.75):
            del command["price"]
        if self.chance(0.3):
            command["time_in_force"] = self.random.choice(("ioc", "fok", "fok", "gtc", "day"))

    def make_unusual(self, command: Command) -> None:
        """Ask for what is not built yet, or does not fit together."""
        command.update(
            self.random.choice(
                (
                    {"type": "stop", "stop_price": command["price"]},
                    {"type": "market_to_limit"},
                    {"time_in_force": "gtd", "expires_at": 10**15},
                    {"expires_at": 10**15},
                    {"display_quantity": command["quantity"]},
                    {"reduce_only": True, "type": "market"},
                    {"post_only": True, "time_in_force": "ioc"},
                    {"stop_price": command["price"]},
                    {"trail": "1"},
                )
            )
        )

    def cancel(self, exchange: Exchange) -> Command:
        found = self.live(exchange)
        if found is None:
            return self.new(exchange)
        if self.chance(0.03):
            return {"op": "cancel", "account": self.account(), "client_order_id": self.random.randint(1, 50)}
        return {"op": "cancel", **self.name_of(found[1])}

    def replace(self, exchange: Exchange) -> Command:
        found = self.live(exchange)
        if found is None:
            return self.new(exchange)
        if self.chance(0.01):
            return {"op": "replace", "account": self.account(), "order_id": 10**6, "quantity": "1"}
        instrument, order = found
        command: Command = {"op": "replace", **self.name_of(order)}
        roll = self.random.random()
        if roll < 0.6:
            command["price"] = self.price(exchange, instrument.symbol)
        if roll > 0.4:
            lots = max(0, order.quantity + self.random.randint(-6, 4))
            command["quantity"] = instrument.quantity_text(lots)
        return command

    def mass_cancel(self, _exchange: Exchange) -> Command:
        symbol = self.symbol() if self.chance(0.5) else None
        side = self.random.choice(("buy", "sell", None))
        return {"op": "mass_cancel", "account": self.account(), "symbol": symbol, "side": side}

    def phase(self, exchange: Exchange) -> Command:
        """Mostly back to continuous trading; through every other phase on the way."""
        away = [of.symbol for of in exchange.instruments.values() if of.phase != "continuous"]
        if away and self.chance(0.8):
            symbol = self.random.choice(away) if self.chance(0.9) else None
            return {"op": "phase", "symbol": symbol, "phase": "continuous"}
        word = self.random.choice(
            ("pre_open", "pre_open", "halted", "cancel_only", "closed", "closed", "auction")
        )
        symbol = self.symbol() if self.chance(0.8) else None
        return {"op": "phase", "symbol": symbol, "phase": word}

    def open_all(self, _exchange: Exchange) -> Command:
        return {"op": "phase", "symbol": None, "phase": "continuous"}

    def lift_all(self, exchange: Exchange) -> Command:
        """Lift every limit of one instrument or one account."""
        if self.chance(0.5):
            return {"op": "limits", "symbol": self.random.choice(list(exchange.instruments)), **NO_LIMITS}
        return {"op": "limits", "account": self.random.choice(ACCOUNTS), **NO_ACCOUNT_LIMITS}

    def uncross(self, exchange: Exchange) -> Command:
        """Take away what keeps a book crossed before the opening."""
        crossed = [of for of in exchange.instruments.values() if of.is_crossed()]
        if not crossed:
            back = [
                of.symbol
                for of in exchange.instruments.values()
                if of.phase not in ("continuous", "pre_open")
            ]
            return {"op": "phase", "symbol": back[0], "phase": "continuous"} if back else self.new(exchange)
        order = self.random.choice((crossed[0].buy[0], crossed[0].sell[0]))
        return {"op": "cancel", "account": order.account, "order_id": order.order_id}

    def instrument_limits(self, exchange: Exchange) -> Command:
        symbol = self.symbol()
        of = exchange.instruments[symbol]
        low = MIDDLE[symbol] - self.random.randint(0, SPREAD)
        high = MIDDLE[symbol] + self.random.randint(0, SPREAD)
        if self.chance(0.5):
            return {"op": "limits", "symbol": symbol, **NO_LIMITS}
        if of.sell and self.chance(0.3):  # leaves the best offers outside
            low_text = of.price_text(of.sell[0].price + 1)
            return {"op": "limits", "symbol": symbol, **NO_LIMITS, "band_low": low_text}
        if of.buy and self.chance(0.3):
            high_text = of.price_text(of.buy[0].price - 1)
            return {"op": "limits", "symbol": symbol, **NO_LIMITS, "band_high": high_text}
        chosen = self.random.choice(
            (
                {"band_low": of.price_text(low), "band_high": of.price_text(high)},
                {"band_low": of.price_text(low), "band_high": None},
                {"band_high": of.price_text(high)},
                {"max_quantity": of.quantity_text(self.random.randint(4, 12))},
                {"max_open_orders": len(of.resting()) + self.random.randint(0, 2)},
                {"max_notional": exchange.money_text(of.quote, of.notional(MIDDLE[symbol], 7))},
                {"band_low": of.price_text(high + 1), "band_high": of.price_text(low)},
            )
        )
        return {"op": "limits", "symbol": symbol, **chosen}

    def account_limits(self, _exchange: Exchange) -> Command:
        whose = {"account": self.account()} if self.chance(0.9) else {}
        if self.chance(0.7):
            return {"op": "limits", **whose, **NO_ACCOUNT_LIMITS}
        chosen = self.random.choice(
            (
                {"max_open_orders": self.random.randint(0, 8)},
                {"max_position": self.random.randint(0, 30)},
                {"order_rate": self.random.randint(0, 3)},
                {"order_rate": self.random.randint(1, 3), "order_burst": self.random.randint(0, 5)},
                {"order_rate": None, "order_burst": -1},
            )
        )
        return {"op": "limits", **whose, **chosen}

    def mark(self, exchange: Exchange) -> Command:
        symbol = self.symbol()
        return {"op": "mark", "symbol": symbol, "price": self.price(exchange, symbol)}

    def time(self, _exchange: Exchange) -> Command:
        self.now += self.random.choice((-5, 1, 10**8, 333_333_333, 10**9, 10**11))
        return {"op": "time", "now": self.now}

    def session_end(self, _exchange: Exchange) -> Command:
        return {"op": "session_end"}

    def deposit(self, exchange: Exchange) -> Command:
        """Pay in to keep the poor alive; now and then more than can be counted."""
        account = self.random.choice((1, 2, 3, 5))
        code = self.random.choice(("USD", "EUR", "JPY"))
        units = 2**62 if self.chance(0.1) else self.random.randint(0, 20000)
        return {"op": "account", "account": account, "deposit": {code: exchange.money_text(code, units)}}

    def define_again(self, _exchange: Exchange) -> Command:
        """Say again what is defined already, now and then differently."""
        again = self.random.choice(
            [command for command in PREAMBLE if command["op"] in ("currency", "instrument")]
        )
        changed = {"decimals": 3} if again["op"] == "currency" and self.chance(0.5) else {}
        return {"op": "account", "account": 0} if self.chance(0.2) else {**again, **changed}

    def door_fault(self, _exchange: Exchange) -> Command:
        """A line that no record can carry."""
        fault = self.random.choice(
            (
                {"symbol": "NONE"},
                {"price": "10.005"},
                {"quantity": "1.05"},
                {"price": "99999999999999999999"},
                {"quantity": "1" + "0" * 30},
                {"price": "ten"},
            )
        )
        plain = {"op": "new", "client_order_id": self.client_id(), "account": self.account(), "side": "buy"}
        return {**plain, "symbol": self.symbol(), "price": "10", "quantity": "1", **fault}


_TABLE: tuple[tuple[Callable[[Flow, Exchange], Command], float], ...] = (
    (Flow.new, 50),
    (Flow.cancel, 14),
    (Flow.replace, 20),
    (Flow.mass_cancel, 1.5),
    (Flow.phase, 1.2),
    (Flow.uncross, 5),
    (Flow.instrument_limits, 1.5),
    (Flow.account_limits, 2.5),
    (Flow.mark, 1.5),
    (Flow.time, 3),
    (Flow.session_end, 0.5),
    (flow_kills.kill, 0.8),
    (flow_kills.lift_kill, 8),
    (flow_losses.loss_limits, 2),
    (flow_losses.own_limits, 0.8),
    (flow_losses.session_start, 0.3),
    (flow_losses.rate, 0.8),
    (flow_losses.lift_latch, 5),
    (flow_groups.membership, 1.6),
    (flow_groups.group_limits, 2),
    (flow_groups.lift_limits, 0.5),
    (flow_groups.lift_latch, 3),
    (flow_groups.kill, 0.15),
    (flow_money.movement, 2.5),
    (flow_sizing.sized_order, 4),
    (flow_reducing.reduce_only_order, 3),
    (flow_reducing.closing_order, 3),
    (flow_reducing.reducing_rate, 0.5),
    (flow_margin.margin_order, 5),
    (flow_margin.funding, 0.5),
    (flow_margin.pay_in, 1),
    (Flow.deposit, 0.5),
    (Flow.define_again, 0.2),
    (Flow.door_fault, 0.7),
)
MAKERS = [make for make, _ in _TABLE]
WEIGHTS = [weight for _, weight in _TABLE]
DISTURBING = (
    *(Flow.phase, Flow.instrument_limits, Flow.account_limits, flow_kills.kill),
    *(flow_losses.own_limits, flow_reducing.reducing_rate),
    *flow_groups.DISTURBING,
)
CALMING = (
    *(Flow.open_all, Flow.lift_all, flow_groups.lift_limits),
    *(flow_losses.lift_latch, flow_groups.lift_latch),
)


def run_flow(seed: int, count: int) -> tuple[Exchange, list[Command], list[list[Event]]]:
    """Return the oracle after a whole stream, the commands, and the events of each."""
    exchange, flow = Exchange(), Flow(seed)
    commands: list[Command] = []
    events: list[list[Event]] = []
    for position in range(len(PREAMBLE) + count):
        command = dict(PREAMBLE[position]) if position < len(PREAMBLE) else flow.next(exchange)
        commands.append(command)
        events.append(exchange.submit(command))
    return exchange, commands, events


def commands_of(seed: int, count: int) -> list[Command]:
    """Return a stream without its events."""
    return run_flow(seed, count)[1]
