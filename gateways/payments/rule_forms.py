"""Bodies about sets of rules and trials: JSON becomes a RULESET, an ACTIVATE or a TRIAL command.

A fault names the field, what is wrong with it and the mend. What a body leaves out of its parameters and its
order is as in the set that governs.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from engine.payments.command_words import (
    RULESET_WHO,
    RULESET_WHY,
    RULESET_WHY_WORDS,
    TRIAL_COMPARES,
    TRIAL_COMPARES_AMOUNTS,
    TRIAL_COMPARES_FAULTS,
    TRIAL_COMPARES_RATES,
    TRIAL_GATE,
    TRIAL_LATE_MS,
    TRIAL_MAX_DISAGREE,
    TRIAL_MIN_SEEN,
    TRIAL_PERCENT,
    TRIAL_STEP_COUNT,
    TRIAL_STEPS,
    TRIAL_WHO,
    TRIAL_WHY,
)
from engine.payments.records import COMMAND, COMMAND_VERSION, NOT_GIVEN, TEXT_WORD_BYTES, Op
from engine.payments.rule_words import NO_SOURCE, put_rules
from engine.payments.settings import OFF, RuleSettings
from engine.payments.texts import text_words
from engine.payments.view.rules_view import RulesetView
from engine.rules.vocabulary import TEXT_CHARACTERS_MAX
from engine.text import exact_json
from engine.text.exact_json import DoubledKey, JsonFault
from engine.trials.records import MILLION, STEPS_MAX, WHO_WORDS, WHY_WORDS, Act, TrialGate
from gateways.payments.values import may_hold_pan

MIN_SEEN = 36_000
"""Decisions of each arm before it is judged: they show one point more of declines in 99 cases of 100."""
LATE_MS_MAX = 60_000
"""As long as a deadline may be."""
ONE_FILE = "rules.py"
"""The name of a file that is sent by itself."""
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
HOLD_MS_MAX = 366 * UNITS_MS["d"]
_TIME = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)|0").fullmatch
_PRINTABLE = re.compile(r"[ -~]*").fullmatch
Id = Annotated[int, Meta(ge=1, lt=2**31)]
FileName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
FileText = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]
Percent = Annotated[int, Meta(ge=1, le=100)]
Commands = npt.NDArray[np.void]


class RuleBodyFault(ValueError):  # noqa: N818 - whose fault it is, is not ours
    """A body that is refused: the field at fault, what is wrong and the mend."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    why: str = ""


class _Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    max_disagree_ppm: Annotated[int, Meta(ge=0, le=MILLION)] | None = None
    min_seen: Annotated[int, Meta(ge=1, le=10**9)] = MIN_SEEN
    compare_rates: bool = True
    compare_amounts: bool = True
    compare_faults: bool = True
    max_p99_ms: Annotated[int, Meta(ge=1, le=LATE_MS_MAX)] | None = None


class RulesetBody(_Body, frozen=True, kw_only=True):
    """A set to register."""

    parameters: dict[str, Any] = {}
    order: list[str] | None = None
    files: dict[FileName, FileText] | None = None


class ActivateBody(_Body, frozen=True, kw_only=True):
    """A set that shall govern: its address says which."""


class ShadowBody(_Body, frozen=True, kw_only=True):
    """A shadow to begin."""

    gates: _Gates = _Gates()


class StartBody(ShadowBody, frozen=True, kw_only=True):
    """A canary to start."""

    ruleset: Id
    steps: Annotated[tuple[Percent, ...], Meta(min_length=1, max_length=STEPS_MAX)] = (5, 25, 100)
    hold: tuple[str, ...] = ("5h", "24h", "0")


class ActBody(_Body, frozen=True, kw_only=True):
    """What shall be done with a canary."""

    ruleset: Id


class SetBody(ActBody, frozen=True, kw_only=True):
    """The percentage that a canary shall have."""

    percent: Percent


Body = TypeVar("Body", bound=_Body)
ACTS = {
    "advance": Act.ADVANCE,
    "pause": Act.PAUSE,
    "resume": Act.RESUME,
    "rollback": Act.ROLL_BACK,
}


_TRUE_OR_FALSE = "give true or false"
MENDS = {
    "why": f"give a text of {WHY_WORDS * TEXT_WORD_BYTES} characters at most",
    "parameters": "give an object from parameters to their values, as GET /v1/payments/rulesets shows them",
    "order": "give an array of the names of all base rules that are on",
    "files": "give an object from names of files to their texts",
    "ruleset": "give the id of a set, as GET /v1/payments/rulesets lists them",
    "percent": "give an integer from 1 to 100",
    "steps": f"give an array of 1 to {STEPS_MAX} integers from 1 to 100, each above the one before",
    "hold": 'give an array of a time for each step, such as "5h", "30m" or "0"',
    "gates": f"give an object of some of {', '.join(_Gates.__struct_fields__)}",
    "gates.max_disagree_ppm": f"give an integer from 0 to {MILLION}, or null",
    "gates.min_seen": f"give an integer from 1 to {10**9}",
    "gates.max_p99_ms": f"give an integer from 1 to {LATE_MS_MAX}, or null",
    **{f"gates.{name}": _TRUE_OR_FALSE for name in ("compare_rates", "compare_amounts", "compare_faults")},
}
PARAMETER_MEND = f'give an integer of 0 or more, or "{OFF}", where the rule can be off'
_FIELD_NAMED = re.compile("field `([^`]*)`")
_INDEX = re.compile(r"\[.*\]")


def read(raw: bytes, kind: type[Body]) -> Body:
    """Return a body as what it has to be; raise RuleBodyFault."""
    try:
        return msgspec.convert(exact_json.decode(raw or b"{}"), type=kind)
    except DoubledKey as fault:
        field = "body" if may_hold_pan(fault.key) else fault.key
        raise RuleBodyFault(field, "is given twice; give it once") from None
    except JsonFault as fault:
        raise RuleBodyFault("body", f"is not JSON: {fault}; give an object") from None
    except msgspec.ValidationError as fault:
        problem, _, place = str(fault).partition(" - at `$.")
        if may_hold_pan(problem):
            raise RuleBodyFault("body", "a field that is not shown is not known here") from None
        named = _FIELD_NAMED.search(problem)
        field = ".".join(part for part in (place.rstrip("`"), named[1] if named else "") if part)
        mend = None if "unknown field" in problem else MENDS.get(_INDEX.sub("", field))
        if mend is None:
            known = _Gates.__struct_fields__ if place else kind.__struct_fields__
            mend = f"there are {', '.join(known)}"
        raise RuleBodyFault(field or "body", f"{problem}; {mend}") from None


def ruleset_body(raw: bytes) -> RulesetBody:
    """Return a set to register: an object, or one file of rules as text; raise RuleBodyFault."""
    if raw.lstrip()[:1] in (b"{", b"[", b""):
        return read(raw, RulesetBody)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise RuleBodyFault("body", f"is no text in UTF-8 (byte {error.start})") from None
    if len(text) > TEXT_CHARACTERS_MAX:
        raise RuleBodyFault("body", f"a file of rules has {TEXT_CHARACTERS_MAX} characters at most")
    return RulesetBody(files={ONE_FILE: text})


def ruleset_record(body: RulesetBody, governing: RulesetView, who: str, source: bytes) -> Commands:
    """Return the command that registers a set; source : the hash of its user rules, which are stored."""
    given: dict[str, Any] = dict(parameters_shown(governing.parameters))
    unknown = [name for name in body.parameters if name not in given]
    if unknown:
        known = ", ".join(given)
        raise RuleBodyFault("parameters", f"{_shown(unknown[0])}: no such parameter; there are {known}")
    given |= body.parameters
    try:
        order = tuple(governing.order if body.order is None else body.order)
        rules = msgspec.convert({**given, "order": order}, RuleSettings)
    except msgspec.ValidationError as fault:
        detail, _, place = str(fault).partition(" - at `$.")
        if not place:
            raise RuleBodyFault("order", detail) from None
        raise RuleBodyFault(f"parameters.{place.rstrip('`')}", f"{detail}; {PARAMETER_MEND}") from None
    made = _command(Op.RULESET)
    words = made["words"][0]
    words[RULESET_WHO : RULESET_WHO + WHO_WORDS] = _text("who", who, WHO_WORDS)
    words[RULESET_WHY : RULESET_WHY + RULESET_WHY_WORDS] = _text("why", body.why, RULESET_WHY_WORDS)
    put_rules(words, rules.limits(), rules.order, source)
    return made


def source_kept(governing: RulesetView) -> bytes:
    """Return the hash of the user rules of the governing set, for a body that says nothing of files."""
    return bytes.fromhex(governing.source) or NO_SOURCE


def activate_record(body: ActivateBody, ruleset: int, who: str) -> Commands:
    """Return the command that lets a set govern."""
    return _reasoned(Op.ACTIVATE, body, ruleset, who)


def shadow_record(body: ShadowBody, ruleset: int, who: str) -> Commands:
    """Return the command that begins a shadow."""
    return _with_gates(_of_trial(Act.SHADOW, body, ruleset, who), body.gates)


def start_record(body: StartBody, who: str) -> Commands:
    """Return the command that starts a canary."""
    if sorted(set(body.steps)) != list(body.steps):
        raise RuleBodyFault(
            "steps", f"{list(body.steps)}: each step has to be a larger percentage than the one before"
        )
    if len(body.hold) != len(body.steps):
        raise RuleBodyFault("hold", f"{len(body.hold)} times for {len(body.steps)} steps; give one for each")
    made = _with_gates(_of_trial(Act.START, body, body.ruleset, who), body.gates)
    words = made["words"][0]
    count = len(body.steps)
    words[TRIAL_STEP_COUNT] = count
    words[TRIAL_STEPS : TRIAL_STEPS + count] = body.steps
    words[TRIAL_STEPS + count : TRIAL_STEPS + 2 * count] = [
        hold_ms(each, f"hold[{place}]") for place, each in enumerate(body.hold)
    ]
    return made


def set_record(body: SetBody, who: str) -> Commands:
    """Return the command that gives a canary another percentage."""
    made = _of_trial(Act.SET, body, body.ruleset, who)
    made["words"][0, TRIAL_PERCENT] = body.percent
    return made


def act_record(act: str, body: ActBody, who: str) -> Commands:
    """Return the command of an act of ACTS."""
    return _of_trial(ACTS[act], body, body.ruleset, who)


def late_record(ruleset: int, why: str) -> Commands:
    """Return the command by which a door rolls back a candidate whose answers come late."""
    made = act_record("rollback", ActBody(ruleset=ruleset, why=why), "door")
    made["words"][0, TRIAL_GATE] = TrialGate.LATENCY
    return made


def hold_ms(text: str, field: str) -> int:
    """Return a time, such as 5h, 30m or 0, in ms."""
    found = _TIME(text)
    value = int(found[1]) * UNITS_MS[found[2]] if found and found[1] else 0
    if found is None or value > HOLD_MS_MAX:
        raise RuleBodyFault(field, f"{_shown(text)}: give a time such as 30m, 5h or 2d, a year at most, or 0")
    return value


def _with_gates(made: Commands, gates: _Gates) -> Commands:
    words = made["words"][0]
    words[TRIAL_MAX_DISAGREE] = NOT_GIVEN if gates.max_disagree_ppm is None else gates.max_disagree_ppm
    words[TRIAL_MIN_SEEN] = gates.min_seen
    words[TRIAL_COMPARES] = (
        gates.compare_rates * TRIAL_COMPARES_RATES
        | gates.compare_amounts * TRIAL_COMPARES_AMOUNTS
        | gates.compare_faults * TRIAL_COMPARES_FAULTS
    )
    words[TRIAL_LATE_MS] = gates.max_p99_ms or 0
    return made


def _of_trial(act: Act, body: _Body, ruleset: int, who: str) -> Commands:
    made = _reasoned(Op.TRIAL, body, ruleset, who)
    made["kind"] = act
    return made


def _reasoned(op: Op, body: _Body, ruleset: int, who: str) -> Commands:
    made = _command(op)
    made["payment"] = ruleset
    words = made["words"][0]
    words[TRIAL_WHO : TRIAL_WHO + WHO_WORDS] = _text("who", who, WHO_WORDS)
    words[TRIAL_WHY : TRIAL_WHY + WHY_WORDS] = _text("why", body.why, WHY_WORDS)
    return made


def _command(op: Op) -> Commands:
    made = np.zeros(1, COMMAND)
    made["op"], made["version"], made["received_at"] = op, COMMAND_VERSION, NOT_GIVEN
    return made


def _text(field: str, text: str, words: int) -> tuple[int, ...]:
    room = words * TEXT_WORD_BYTES
    if field == "who":
        text = "".join(each if " " <= each <= "~" else "?" for each in text)[:room]
    if len(text) > room or not _PRINTABLE(text) or may_hold_pan(text):
        raise RuleBodyFault(field, f"give at most {room} printable ASCII characters, and no long number")
    return text_words(text, words)


def _shown(value: Any) -> str:
    return "(not shown)" if may_hold_pan(str(value)) else repr(value)[:60]


def parameters_shown(parameters: Mapping[str, int]) -> dict[str, int | str]:
    """Return base parameters as a body gives them."""
    return {name: OFF if value < 0 else value for name, value in parameters.items()}
