"""The set-up of a traffic: merchants and accounts of every kind, and what stands on lists from the start."""

from perf.traffic.items import Body
from perf.traffic.world import CURRENCIES, PLAIN_MERCHANTS, RICH, RICH_ACCOUNTS, World

SHARED_MERCHANTS = ("mix-1", "mix-2", "mix-3", "mix-4")
SHARED_ACCOUNTS = (11, 12, 13, 14, 15, 16)
SHARED_MAX = 500_000
"""What a shared merchant or account takes at most, in minor units."""
CLOSED, FROZEN, INACTIVE, UNKNOWN = 21, 22, "closed-shop", "nobody"
UNKNOWN_ACCOUNT = 999


def lines_of(world: World) -> list[Body]:
    """Return the lines of set-up."""
    return [*_merchants(), *_accounts(), *_lists(world)]


def _merchants() -> list[Body]:
    limits = {of: {"min": 100, "max": SHARED_MAX, "daily": 5_000_000} for of in CURRENCIES}
    above = dict.fromkeys(CURRENCIES, 300_000)
    lines: list[Body] = [{"op": "merchant", "merchant": name} for name in PLAIN_MERCHANTS]
    lines += [
        {"op": "merchant", "merchant": INACTIVE, "active": False},
        {"op": "merchant", "merchant": "mix-1", "limits": limits, "hold_days": 1, "mcc": "5411"},
        {
            "op": "merchant", "merchant": "mix-2", "sca_above": above, "geo_above": above,
            "disclose": {"59": "05", "61": "05", "51": "05", "43": "41"},
        },
        {
            "op": "merchant", "merchant": "mix-3", "currencies": ["EUR", "JPY", "CLF"],
            "channels": ["ecom", "pos"], "card_types": ["credit", "debit"], "hold_days": 2,
            "issuer_countries": ["DE", "FR", "AA", "ZZ"], "sca_above": {"EUR": 0},
        },
        {
            "op": "merchant", "merchant": "mix-4", "hold_days": 31, "geo_above": {"JPY": 0, "EUR": 0},
            "limits": {"EUR": {"daily": 900_000}, "JPY": {"min": 2}, "CLF": {"max": 10**6}, "USD": {}},
        },
    ]  # fmt: skip
    return lines


def _accounts() -> list[Body]:
    rich = dict.fromkeys((*CURRENCIES, "CLF", "USD"), RICH)
    lines: list[Body] = [{"op": "account", "account": number, "balances": rich} for number in RICH_ACCOUNTS]
    lines += [
        {"op": "account", "account": CLOSED, "status": "closed", "balances": {"EUR": 10**9}},
        {"op": "account", "account": FROZEN, "status": "frozen", "balances": {"EUR": 10**9}},
    ]
    for number in SHARED_ACCOUNTS:
        line: Body = {"op": "account", "account": number, "balances": dict.fromkeys(CURRENCIES, 10**7)}
        if number % 2:
            line["limits"] = {of: {"max": SHARED_MAX, "sum_24h": 4 * SHARED_MAX} for of in CURRENCIES[:2]}
            line["count_24h"] = 12
        lines.append(line)
    return lines


def _lists(world: World) -> list[Body]:
    return [
        {"op": "list", "list": "lost", "add": [world.pan(), "lost-token"]},
        {"op": "list", "list": "stolen", "add": [world.pan(length=12), world.pan(length=19)]},
        {"op": "list", "list": "block_card", "add": ["bad-token"], "remove": []},
        {"op": "list", "list": "allow_card", "add": ["good-token"]},
        {"op": "list", "list": "block_bin", "add": ["999999", "99888877"]},
        {"op": "list", "list": "block_account", "add": [77]},
        {"op": "list", "list": "block_device", "add": ["bad device"]},
        {"op": "list", "list": "block_ip", "add": ["192.0.2.1", "2001:db8::1"]},
        {"op": "list", "list": "block_email", "add": ["Mallory@Example.org"]},
        {
            "op": "list",
            "list": "block_email",
            "add": ["nobody@example.org"],
            "remove": ["nobody@example.org"],
        },
    ]
