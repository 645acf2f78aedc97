"""Sets of rules and trials as they are shown, over HTTP and by the command line."""

from typing import Any

from engine.payments.view.rules_view import RulesetView, RulesView, TrialView
from engine.trials.records import TrialGate, TrialState
from gateways.payments.rule_forms import parameters_shown
from gateways.payments.rule_names import UserNames


def rulesets_document(rules: RulesView, user_names: UserNames) -> dict[str, Any]:
    """Return every set that is kept, the one that governs and the one of the configuration."""
    return {
        "governing": rules.governing,
        "configured": rules.configured,
        "rulesets": [ruleset_document(each, rules, user_names) for each in rules.sets],
    }


def ruleset_document(found: RulesetView, rules: RulesView, user_names: UserNames) -> dict[str, Any]:
    """Return one set; user_names : the names of its user rules."""
    return {
        "ruleset": found.ruleset,
        "state": standing_of(found, rules),
        "hash": found.hash,
        "parameters": parameters_shown(found.parameters),
        "order": list(found.order),
        "user_rules": list(user_names(found.ruleset)),
        "source": found.source or None,
        "who": found.who or None,
        "why": found.why or None,
        "seq": found.seq,
    }


def standing_of(found: RulesetView, rules: RulesView) -> str:
    """Return what a set is at the moment: governing, on trial, or registered."""
    if found.ruleset == rules.governing:
        return "governing"
    if rules.trial.is_live and found.ruleset == rules.trial.ruleset:
        return rules.trial.state.name.lower()
    return "registered"


def canary_document(trial: TrialView) -> dict[str, Any]:
    """Return the trial: in shadow, a canary, or the last one that ended."""
    has_been = trial.state != TrialState.NONE
    return {
        "state": trial.state.name.lower(),
        "ruleset": trial.ruleset if has_been else None,
        "percent": trial.percent,
        "step": trial.step + 1 if trial.steps else None,
        "steps": list(trial.steps),
        "hold_ms": list(trial.holds_ms),
        "step_began_ms": trial.step_began_ms or None,
        "seen": trial.seen,
        "disagreements": trial.disagreements,
        "pairs": dict(sorted(trial.pairs.items(), key=lambda pair: -pair[1])),
        "pairs_left_out": trial.pairs_left_out,
        "gate": None if trial.gate == TrialGate.NONE else trial.gate.name.lower(),
        "gate_of": trial.gate_of or None,
        "gates": {
            "max_disagree_ppm": None if trial.max_disagree_ppm < 0 else trial.max_disagree_ppm,
            "min_seen": trial.min_seen,
            "compare_rates": trial.compares_rates,
            "compare_amounts": trial.compares_amounts,
            "compare_faults": trial.compares_faults,
            "max_p99_ms": trial.late_ms or None,
        },
        "arms": {
            name: {
                "decided": arm.decided,
                "outcomes": arm.outcomes,
                "codes": arm.codes,
                "approved_ppm": arm.approved_ppm,
                "faults": arm.faults,
                "unserved": arm.unserved,
            }
            for name, arm in trial.arms.items()
        },
        "who": trial.who or None,
        "why": trial.why or None,
    }
