"""The payments application as the runtime takes it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.contract.application import Application
from engine.payments.capacities import Capacities
from engine.payments.codes import BY_NUMBER, Code
from engine.payments.history.projection import PaymentsProjection
from engine.payments.kernels.apply import apply, next_due
from engine.payments.kernels.convert import convert
from engine.payments.kernels.digest import digest, first_difference
from engine.payments.kernels.event_forms import SPREAD
from engine.payments.kernels.prepare import prepare
from engine.payments.kernels.state import state_dtype
from engine.payments.name import PAYMENTS
from engine.payments.records import COMMAND, COMMAND_VERSION, EventKind
from engine.payments.rules.vocabulary import VOCABULARY
from engine.rules.loader import End, load_from, load_once
from engine.rules.stored import FOLDER


def payments(capacities: Capacities) -> Application:
    """Return the payments engine with these capacities."""
    return Application(
        name=PAYMENTS,
        command_dtype=COMMAND,
        spread=SPREAD,
        command_version=COMMAND_VERSION,
        state_dtype=state_dtype(capacities),
        capacities=" ".join(f"{name}={count}" for name, count in asdict(capacities).items()),
        apply=apply,
        prepare=prepare,
        next_due=next_due,
        refusal=refusal,
        digest=digest,
        first_difference=first_difference,
        projection=PaymentsProjection,
        convert=convert,
        open_folder=open_folder,
        restored=load_named_rules,
    )


def open_folder(data_dir: Path, end: End) -> None:
    """Let kernels of this process find the user rules of a data folder; end : where one is not there."""
    load_from(data_dir / FOLDER, VOCABULARY, end)


def load_named_rules(state: Any) -> None:
    """Load every set of user rules that a state names."""
    for first, second in state[0]["rulesets"]["source"].tolist():
        if first or second:
            load_once(first, second)


def refusal(event: Any) -> str:
    """Return the name of the code with which an event refuses a set-up command; nothing where it does not."""
    is_answer = event["kind"] in (EventKind.DONE, EventKind.REJECTED)
    return BY_NUMBER[int(event["code"])].name if is_answer and event["code"] != Code.OK else ""
