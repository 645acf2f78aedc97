"""The sets of rules and the trial as values, copied whole out of a state that is being written."""

from dataclasses import dataclass
from typing import Any

from engine.payments.codes import BY_NUMBER
from engine.payments.records import Decision
from engine.payments.rule_words import limits_of, order_of
from engine.payments.texts import words_text
from engine.trials.records import CODES_MAX, MILLION, TrialGate, TrialState

ARMS = ("control", "canary")


@dataclass(frozen=True, slots=True)
class RulesetView:
    """One set of rules."""

    ruleset: int
    seq: int
    hash: str
    source: str
    """The hash of its user rules, "" where it has none."""
    parameters: dict[str, int]
    order: tuple[str, ...]
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class ArmView:
    """What one side of a canary decided in the present step: how often, by name."""

    decided: int
    outcomes: dict[str, int]
    codes: dict[str, int]
    faults: int
    """What was refused undecided, decided or settled for want of room, of the store or of the processor."""
    unserved: int
    """Of these, what was refused undecided, which `decided` leaves out."""
    approved_ppm: int | None
    """Of a million of what was asked, each amount by its square root; None where nothing was."""


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial; pairs : disagreements by the names of the governing and the candidate's code."""

    state: TrialState
    ruleset: int
    percent: int
    step: int
    steps: tuple[int, ...]
    holds_ms: tuple[int, ...]
    step_began_ms: int
    max_disagree_ppm: int
    min_seen: int
    compares_rates: bool
    compares_amounts: bool
    compares_faults: bool
    late_ms: int
    """An answer of the candidate's arm is late beyond it; 0: off."""
    seen: int
    disagreements: int
    pairs: dict[str, int]
    pairs_left_out: int
    arms: dict[str, ArmView]
    gate: TrialGate
    gate_of: str
    who: str
    why: str

    @property
    def is_live(self) -> bool:
        """Whether a candidate decides beside the governing set."""
        return TrialState.SHADOW <= self.state <= TrialState.PAUSED


@dataclass(frozen=True, slots=True)
class RulesView:
    """Everything about the rules of one moment."""

    governing: int
    configured: int
    sets: tuple[RulesetView, ...]
    trial: TrialView

    def find(self, ruleset: int) -> RulesetView | None:
        """Return a set by its id."""
        return next((each for each in self.sets if each.ruleset == ruleset), None)


FIELDS = ("ruleset", "configured", "rulesets", "trial")
"""Of a STATE record, what is to be copied in one go."""


def rules_of(copied: Any) -> RulesView:
    """Return the rules of what was copied: a value for each of FIELDS."""
    governing, configured, rulesets, trial = copied
    sets = [_set_of(each) for each in rulesets if each["ruleset"]]
    return RulesView(
        governing=int(governing),
        configured=int(configured),
        sets=tuple(sorted(sets, key=lambda each: each.ruleset)),
        trial=trial_of(trial[0]),
    )


def _set_of(row: Any) -> RulesetView:
    return RulesetView(
        ruleset=int(row["ruleset"]),
        seq=int(row["seq"]),
        hash=row["hash"].tobytes().hex(),
        source=row["source"].tobytes().hex() if row["source"].any() else "",
        parameters=limits_of(row["limits"]),
        order=order_of(row["place"].tolist()),
        who=words_text(row["who"]),
        why=words_text(row["why"]),
    )


def trial_of(row: Any) -> TrialView:
    """Return the trial of a TRIAL record that was copied."""
    count = int(row["step_count"])
    pairs = {_pair(int(codes)): int(many) for codes, many in row["pairs"].tolist() if codes}
    return TrialView(
        state=TrialState(int(row["state"])),
        ruleset=int(row["candidate"]),
        percent=int(row["percent"]),
        step=int(row["step"]),
        steps=tuple(row["steps"][:count].tolist()),
        holds_ms=tuple(row["holds_ms"][:count].tolist()),
        step_began_ms=int(row["step_began_ms"]),
        max_disagree_ppm=int(row["max_disagree_ppm"]),
        min_seen=int(row["min_seen"]),
        compares_rates=bool(row["compares_rates"]),
        compares_amounts=bool(row["compares_amounts"]),
        compares_faults=bool(row["compares_faults"]),
        late_ms=int(row["late_ms"]),
        seen=int(row["seen"]),
        disagreements=int(row["disagreements"]),
        pairs=pairs,
        pairs_left_out=int(row["pairs_left_out"]),
        arms={name: _arm_of(arm) for name, arm in zip(ARMS, row["arms"], strict=True)},
        gate=_gate_of(row),
        gate_of=_breached(_gate_of(row), int(row["gate_of"])),
        who=words_text(row["who"]),
        why=words_text(row["why"]),
    )


def _arm_of(row: Any) -> ArmView:
    codes = {BY_NUMBER[code].name: many for code, many in enumerate(row["codes"].tolist()) if many}
    outcomes = {Decision(each).name: many for each, many in enumerate(row["outcomes"].tolist()) if many}
    asked, withheld = int(row["asked"]), int(row["withheld"])
    return ArmView(
        decided=int(row["decided"]),
        outcomes=outcomes,
        codes=codes,
        faults=int(row["faults"]),
        unserved=int(row["unserved"]),
        approved_ppm=(asked - withheld) * MILLION // asked if asked else None,
    )


def _gate_of(row: Any) -> TrialGate:
    """Return the gate that ended a trial; one that there is not, which a command may name, is none."""
    gate = int(row["gate"])
    return TrialGate(gate) if gate in set(TrialGate) else TrialGate.NONE


def _breached(gate: TrialGate, which: int) -> str:
    """Return the name of the outcome or the code whose rate breached a gate."""
    if gate == TrialGate.OUTCOME_RATE:
        return Decision(which).name
    return BY_NUMBER[which].name if gate == TrialGate.CODE_RATE else ""


def _pair(codes: int) -> str:
    governing, candidate = divmod(codes, CODES_MAX)
    return f"{BY_NUMBER[governing].name}>{BY_NUMBER[candidate].name}"
