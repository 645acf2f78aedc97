"""What `/metrics` tells of the trial of a set of rules: how it stands, both arms, which gate ended it."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from engine.payments.view.rules_view import RulesView
from engine.trials.records import MILLION, TrialGate, TrialState


def trial_metrics(rules: RulesView) -> Iterator[Metric]:
    """Yield the metrics; counts begin anew with each trial, and those of the arms with each step."""
    trial = rules.trial
    yield GaugeMetricFamily("pinion_ruleset", "The set of rules that governs", rules.governing)
    states = GaugeMetricFamily("pinion_trial_state", "1: the trial stands so", labels=["state"])
    for state in TrialState:
        states.add_metric([state.name.lower()], trial.state == state)
    yield states
    gates = GaugeMetricFamily("pinion_trial_gate", "1: this gate has rolled the trial back", labels=["gate"])
    for gate in TrialGate:
        if gate != TrialGate.NONE:
            gates.add_metric([gate.name.lower()], trial.gate == gate)
    yield gates
    yield GaugeMetricFamily("pinion_trial_percent", "Of the cards, the candidate's cohort", trial.percent)
    yield GaugeMetricFamily("pinion_trial_seen", "Decisions that both sets made", trial.seen)
    yield GaugeMetricFamily("pinion_trial_disagreements", "Of these, with another code", trial.disagreements)
    outcomes = GaugeMetricFamily(
        "pinion_trial_outcomes", "Decisions of an arm in this step", labels=["arm", "outcome"]
    )
    for name, arm in trial.arms.items():
        for outcome, count in arm.outcomes.items():
            outcomes.add_metric([name, outcome], count)
    yield outcomes
    faults = GaugeMetricFamily(
        "pinion_trial_faults",
        "Payments of an arm in this step that came to nothing for want of room, store or processor",
        labels=["arm"],
    )
    amounts = GaugeMetricFamily(
        "pinion_trial_approved_amount",
        "Part of what was asked in this step that an arm approved, each amount by its square root",
        labels=["arm"],
    )
    for name, arm in trial.arms.items():
        faults.add_metric([name], arm.faults)
        if arm.approved_ppm is not None:
            amounts.add_metric([name], arm.approved_ppm / MILLION)
    yield faults
    yield amounts
