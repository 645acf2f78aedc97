"""The little language of the scenario files: commands in, one event per line out.

    == a title, starts a scenario with an empty book
    1> sell 10 @ 10.05 #1 post_only        account 1; #1 is the client order id
         accepted #1                       what must come back, indented, in order
    2> buy 4 market #2 stp=none
    2> buy fixed_risk:risk_ppm=5000,stop=9.90 @ 10.00 #3    a method in place of the quantity
    1> replace #1 price=10.06 quantity=8
    1> cancel #1        1> mass_cancel symbol=XYZ side=buy
    > phase symbol=XYZ phase=halted        administration has no account
    > group group=7 accounts=1,2           a list of numbers
    > rules act=register file=clips        the rules of tests/rule_sets/clips.py
    ? book XYZ                             a question: `bid 10.00 4 #2 #3` per level, best first
    ? money 1 USD                          `total 99 reserved 4`
    ? house USD                            what the fees amount to
    ? paid USD                             what came from outside less what went there
    ? position 1 XYZ                       `4 cost 40.2 realised 0`

Words after the price are flags (post_only), times in force (ioc) or type (market);
name=value gives any other field of the JSON lines; the symbol is XYZ unless said.
Blank lines and lines that start with // say nothing.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.rule_files import source_named

Command = dict[str, Any]

PREAMBLE: tuple[Command, ...] = (
    {"op": "currency", "currency": "USD", "decimals": 2},
    {"op": "currency", "currency": "XYZ"},
    {"op": "currency", "currency": "ABC"},
    {
        "op": "instrument",
        "symbol": "XYZ",
        "base": "XYZ",
        "quote": "USD",
        "tick_size": "0.01",
        "lot_size": "1",
    },
    {
        "op": "instrument",
        "symbol": "ABC",
        "base": "ABC",
        "quote": "USD",
        "tick_size": "0.01",
        "lot_size": "1",
    },
    {
        **{"op": "instrument", "symbol": "FEE", "base": "ABC", "quote": "USD", "tick_size": "0.01"},
        **{"lot_size": "1", "maker_fee_ppm": -1000, "taker_fee_ppm": 3000, "protect_ticks": 5},
    },
    {
        **{"op": "instrument", "symbol": "COL", "base": "ABC", "quote": "USD", "tick_size": "0.01"},
        **{"lot_size": "1", "collar_bps": 100},
    },
    *({"op": "account", "account": account, "deposit": {"USD": "10000"}} for account in (1, 2, 3)),
)
TIMES_IN_FORCE = ("gtc", "day", "gtd", "ioc", "fok")
TYPES = ("limit", "market", "market_to_limit", "stop", "stop_limit", "trailing_stop")
RATES = ("maker_fee_ppm", "taker_fee_ppm", "initial_margin_ppm", "maintenance_margin_ppm")
FLAGS = ("post_only", "reduce_only")


@dataclass
class Step:
    """One line that asks, and the lines that must answer."""

    line: str
    line_number: int
    expected: list[str] = field(default_factory=list)


@dataclass
class Scenario:
    title: str
    line_number: int
    steps: list[Step] = field(default_factory=list)


def parse(text: str) -> list[Scenario]:
    """Split a scenario file."""
    scenarios: list[Scenario] = []
    for line_number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("//"):
            continue
        if content.startswith("== "):
            scenarios.append(Scenario(content[3:], line_number))
        elif line[0].isspace():
            scenarios[-1].steps[-1].expected.append(" ".join(content.split()))
        else:
            scenarios[-1].steps.append(Step(content, line_number))
    return scenarios


def command_of(line: str) -> Command:
    """Read `1> buy 10 @ 10.05 #7 ioc`."""
    account, _, rest = line.partition(">")
    verb, *words = rest.split()
    command: Command = {"op": verb}
    if account.strip():
        command["account"] = int(account)
    if verb in ("buy", "sell"):
        command |= {"op": "new", "symbol": "XYZ", "side": verb} | size_of(words.pop(0))
    while words:
        word = words.pop(0)
        if word == "@":
            command["price"] = words.pop(0)
        elif word.startswith("#"):
            command["client_order_id"] = int(word[1:]) if word[1:].lstrip("-").isdigit() else word[1:]
        elif "=" in word:
            command |= field_of(word)
        elif word in TIMES_IN_FORCE:
            command["time_in_force"] = word
        elif word in TYPES:
            command["type"] = word
        else:
            assert word in FLAGS, f"what is {word!r} in {line!r}?"
            command[word] = True
    return command


def size_of(word: str) -> Command:
    """Read a quantity, or `method:name=value,...` in its place."""
    method, colon, arguments = word.partition(":")
    if not colon:
        return {"quantity": word}
    named = dict(argument.split("=") for argument in arguments.split(","))
    in_parts = {name: int(value) if name.endswith("_ppm") else value for name, value in named.items()}
    return {"size_by": {"method": method, **in_parts}}


def field_of(word: str) -> Command:
    """Read `name=value`; numbers stay text except where the JSON lines want whole numbers."""
    name, _, value = word.partition("=")
    name = {"stp": "self_trade_prevention"}.get(name, name)
    whole = (
        "decimals",
        "max_drawdown_bps",
        "max_open_orders",
        *("max_concentration_ppm", "modify_rate", "modify_burst", "fill_window_ms"),
        *("max_order_trade_ratio", "order_trade_window_ms"),
        "max_position",
        "order_rate",
        "order_burst",
        "now",
        "account",
        "group",
        "order_id",
        "from",
        "to",
        "value",
    )
    if name == "file":
        return {"source": source_named(value)}
    if value == "null":
        return {name: None}
    if name == "accounts":
        return {name: [int(each) for each in value.split(",") if each]}
    if value in ("true", "false"):
        return {name: value == "true"}
    if name == "deposit":
        amount, _, code = value.partition(":")
        return {name: {code: amount}}
    if value == "fees":
        return {name: value}
    return {name: int(value) if name in (*whole, "expires_at", *RATES) else value}


def event_line(event: dict[str, Any]) -> str:
    """Write an event as one line of a scenario."""
    kind = event["event"]
    own = f"#{event.get('client_order_id')}"
    if kind == "accepted":
        return f"accepted {own} {event['quantity']}" if "quantity" in event else f"accepted {own}"
    if kind == "rejected":
        original = f" {event['status']} cum {event['cum_quantity']}" if "status" in event else ""
        if "rule" in event:
            fault = " fault" if event["rule_fault"] else ""
            original = f" {event['rule']} {event['rule_reason']}{fault}"
        if "original_seq" in event:
            original = f" of {event['original_seq']}"
        whose = f" group {event['group']}" if "group" in event else ""
        return f"rejected {event['reason']}{original}{whose}{'' if event['seq'] else ' at the door'}"
    if kind == "cancelled":
        return f"cancelled {own} {event['leaves_quantity']} {event['reason']}"
    if kind == "replaced":
        kept = "kept" if event["priority_kept"] else "lost"
        return (
            f"replaced {own} {event['quantity']} @ {event['price']} leaves {event['leaves_quantity']} {kept}"
            f"{' ' + event['reason'] if 'reason' in event else ''}"
        )
    if kind == "phase":
        return f"phase {event['symbol']} {event['phase']}"
    if kind == "latched":
        whose = f"group {event['group']}" if "group" in event else event["account"]
        scope = whose or event["symbol"] or "venue"
        amounts = "" if event["measured"] is None else f" {event['measured']} of {event['allowed']}"
        return f"latched {scope} {event['limit']} {event['level'] or 'none'}{amounts}"
    if kind == "moved":
        return moved_line(event)
    if kind == "rules":
        return f"rules {event['act']} {event['set'] or 'none'} before {event['before'] or 'none'}"
    who = f"maker #{event['maker_client_order_id']} taker #{event['taker_client_order_id']}"
    if kind == "prevented":
        return f"prevented {event['prevented_quantity']} {who}"
    fees = (event["maker_fee"], event["taker_fee"])
    charged = f" fees {fees[0]} {fees[1]}" if fees != ("0", "0") else ""
    return f"trade {event['quantity']} @ {event['price']} {who}{charged}"


def moved_line(event: dict[str, Any]) -> str:
    """Write a movement of money: whose, how much, what they have then."""
    amount = f"{event['amount']} {event['currency']}"
    if event["op"] == "transfer":
        balances = f"balances {event['from_balance']} {event['to_balance']}"
        return f"moved transfer {event['from']} to {event['to']} {amount} {balances} id {event['id']}"
    return f"moved {event['op']} {event['account']} {amount} balance {event['balance']} id {event['id']}"


def book_lines(book: dict[str, Any]) -> list[str]:
    """Write a book of `--book` as lines: bids, asks, the last price."""
    lines = []
    for name, levels in (("bid", book["bids"]), ("ask", book["asks"])):
        for price, quantity, count, ids in levels:
            assert count == len(ids)
            lines.append(f"{name} {price} {quantity} {' '.join(f'#{each}' for each in ids)}")
    return [*lines, f"last {book['last']}"]


def position_line(lots: int, cost: str, realised: str) -> str:
    """Write a position as one line of a scenario."""
    return f"{lots} cost {cost} realised {realised}"


def read_table(text: str) -> list[dict[str, str]]:
    """Read a table of columns separated by bars; its first line names them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("//")]
    names, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return [dict(zip(names, row, strict=True)) for row in rows]
