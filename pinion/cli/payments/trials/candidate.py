"""A set of rules that is put beside a replayed journal, and taken away where the journal changes its own.

The set has a number and a trial in the state while it judges, which the journal knows nothing of: both are
taken back before a command about rules is applied, so that this finds the state as it was. What the set
leaves out is as in the one that governs at the moment.
"""

from collections.abc import Callable
from typing import Any

from engine.contract.errors import UsageError
from engine.payments.kernels.beside import try_beside
from engine.payments.view.live_view import LiveView
from engine.payments.view.rules_view import RulesView
from gateways.payments.rule_forms import RuleBodyFault, RulesetBody, ruleset_record, source_kept

FIELDS = ("rulesets", "last_ruleset", "trial")
"""Of a STATE, what putting a set beside others changes."""


class Candidate:
    """A set and where it stands beside the journal's.

    state : returns the array of one STATE record, as the journal leaves it
    source : the hash of its user rules, None: those of the governing set
    path : of the files that it comes from, for faults
    """

    def __init__(self, state: Callable[[], Any], body: RulesetBody, source: bytes | None, path: str) -> None:
        self._state = state
        self._body = body
        self._source = source
        self._path = path
        self._kept: dict[str, Any] = {}
        self.judges = False
        """Whether it judges what is applied, and is another set than governs."""

    def rules(self) -> RulesView:
        """Return the sets of the state and its trial."""
        return LiveView(self._state()).rules()

    def begin(self) -> None:
        """Let it judge from here on, where it is another set than governs; UsageError where it is none."""
        rules = self.rules()
        governing = rules.find(rules.governing)
        assert governing is not None, "the governing set is never given up"
        try:
            record = ruleset_record(self._body, governing, "whatif", self._source or source_kept(governing))
        except RuleBodyFault as fault:
            raise UsageError(f"--rules {self._path}: {fault}") from None
        state = self._state()
        self._kept = {name: state[0][name].copy() for name in FIELDS}
        self.judges = try_beside(state, record)

    def withdraw(self) -> None:
        """Leave the state as if it had never been there."""
        for name, value in self._kept.items():
            self._state()[0][name] = value
        self._kept = {}
        self.judges = False
