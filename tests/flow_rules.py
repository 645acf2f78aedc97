"""A seeded flow in which sets of rules that people write come and go (tests/flows.py)."""

from typing import Any

from tests.flows import Flow
from tests.oracle import Exchange
from tests.oracle_rules import PLAIN_SETS
from tests.rule_files import source_named

Command = dict[str, Any]
FILES = ("all_windows", "all_words", "clips", "losses")
ABOUT_RULES = 0.02
MOVING_ON = 0.05
"""So often the clock goes on, by up to five seconds: the windows of rules have something to forget."""


class RuleFlow(Flow):
    """A flow with commands about rules in it."""

    def next(self, exchange: Exchange) -> Command:
        """Return the next command of the stream."""
        if self.chance(ABOUT_RULES):
            return self.about_rules(exchange)
        if self.chance(MOVING_ON):
            self.now = max(self.now, exchange.eng_ts) + self.random.randint(1, 5 * 10**9)
            return {"op": "time", "now": self.now}
        return super().next(exchange)

    def about_rules(self, exchange: Exchange) -> Command:
        """Register, activate, take back, or set a param; now and then of what is not there."""
        roll = self.random.random()
        source = source_named(self.random.choice(FILES))
        if roll < 0.2 or not exchange.rules.ids:
            return {"op": "rules", "act": "register", "source": source, "who": "flow", "why": "because"}
        if roll < 0.5:
            return {"op": "rules", "act": "activate", "source": source}
        if roll < 0.53:
            return {"op": "rules", "act": "activate", "source": None, "why": "a quiet time"}
        if roll < 0.6:
            return {"op": "rules", "act": "rollback"}
        rule = self.random.choice(PLAIN_SETS[source])
        param = self.random.choice([*rule.params, "odd"])
        whose: Command = {"account": self.account()} if self.chance(0.6) else {"symbol": self.symbol()}
        value = None if self.chance(0.3) else self.random.choice((1, 3, 5, 9, 40))
        return {"op": "rules", "act": "param", "rule": rule.name, "param": param, "value": value, **whose}
