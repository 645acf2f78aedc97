"""What a state lacks of a line of the configuration.

Definitions that the state knows stay as they are, whatever the configuration says now: limits, balances and
fees have moved since, by commands. A limit or a rate of the configuration that the state has none of is set
at every start, also where somebody lifted it: an account never goes without one that its configuration names
because a start was cut short between the account and its limits.
"""

from collections.abc import Mapping
from typing import Any

from engine.trading.instruments import Catalogue
from engine.trading.records import Latch
from engine.trading.settings import WINDOW_OF_LIMIT
from gateways.json_lines.account_limits import ACCOUNT_LIMITS, LATCHING

Fields = dict[str, Any]
PLAIN = ("max_open_orders", "max_position", "order_rate", "order_burst")
"""Limits that an account or every account's default may have: limit + 1, and nothing or less for none."""
RARER = {
    "max_gross_exposure": "gross_limit",
    "max_concentration_ppm": "concentration_limit",
    "modify_rate": "modify_rate",
    "modify_burst": "modify_burst",
}
OF_LATCH = {
    "max_daily_loss": Latch.MAX_DAILY_LOSS,
    "max_drawdown": Latch.MAX_DRAWDOWN,
    "max_drawdown_bps": Latch.MAX_DRAWDOWN_BPS,
    "max_fill_rate": Latch.MAX_FILL_RATE,
    "max_order_trade_ratio": Latch.MAX_ORDER_TRADE_RATIO,
}
assert set(PLAIN) | set(RARER) | set(OF_LATCH) | set(WINDOW_OF_LIMIT) == set(ACCOUNT_LIMITS)


class HeldDefinitions:
    """What a state holds of what a configuration can say."""

    def __init__(self, state: Any, known: Catalogue) -> None:
        self._s = state[0]
        self._known = known
        used = int(self._s["accounts_used"])
        self._account_idx = {
            account: idx for idx, account in enumerate(self._s["accounts"]["account"][:used].tolist())
        }

    def lacking(self, fields: Fields) -> Fields | None:
        """Return what of a line is to be sent, None where nothing is."""
        match fields["op"]:
            case "currency":
                is_known = fields["currency"] in self._known.currency_by_code
            case "rate":
                is_known = self._has_rate(fields["currency"], fields["in"])
            case "instrument":
                is_known = fields["symbol"] in self._known.instrument_by_symbol
            case "account":
                is_known = fields["account"] in self._account_idx
            case "group":
                is_known = -fields["group"] in self._account_idx  # groups stand among the accounts
            case _:
                return self._lacking_limits(fields)
        return None if is_known else fields

    def _has_rate(self, code: str, into: str) -> bool:
        found = [self._known.currency_by_code.get(each) for each in (code, into)]
        pair = tuple(each.currency_idx for each in found if each is not None)
        return len(pair) == len(found) and int(self._s["rates"][pair]["parts"]) != 0

    def _lacking_limits(self, fields: Fields) -> Fields | None:
        has = self._limits_of(fields)
        named = ACCOUNT_LIMITS.keys() & fields.keys()
        lacking = {name for name in named if not has.get(WINDOW_OF_LIMIT.get(name, name), False)}
        if not lacking:
            return None
        kept = {name: value for name, value in fields.items() if name not in named - lacking}
        if not lacking & set(LATCHING):
            kept.pop("on_breach", None)
        return kept

    def _limits_of(self, fields: Fields) -> Mapping[str, bool]:
        """Return which limits there are already of whatever the line is about."""
        s = self._s
        if "symbol" in fields:
            found = self._known.instrument_by_symbol.get(fields["symbol"])
            return {
                "max_open_orders": found is not None
                and s["books"][found.instrument_idx]["max_open_orders"] > 0
            }
        if "account" not in fields and "group" not in fields:
            return {name: s[f"default_{name}"] > 0 for name in PLAIN}
        holder = -fields["group"] if "group" in fields else fields["account"]
        idx = self._account_idx.get(holder)
        if idx is None:
            return {}
        account, watch = s["accounts"][idx], s["watches"][idx]
        return (
            {name: account[name] > 0 for name in PLAIN}
            | {name: watch[word] != 0 for name, word in RARER.items()}
            | {name: watch["limit"][latch] != 0 for name, latch in OF_LATCH.items()}
        )
