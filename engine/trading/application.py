"""The trading application as the runtime takes it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.contract.application import Application
from engine.rules.loader import End, load_from, load_once
from engine.rules.stored import FOLDER
from engine.trading.capacities import Capacities
from engine.trading.digest import digest, first_difference
from engine.trading.event_forms import SPREAD
from engine.trading.history.projection import TradingProjection
from engine.trading.kernels.apply import apply, next_due
from engine.trading.kernels.convert import convert
from engine.trading.kernels.prepare import prepare
from engine.trading.kernels.state import state_dtype
from engine.trading.name import TRADING
from engine.trading.records import COMMAND, COMMAND_VERSION, EventKind, Reason
from engine.trading.rules.vocabulary import VOCABULARY


def trading(capacities: Capacities) -> Application:
    """Return the trading engine with these capacities."""
    return Application(
        name=TRADING,
        command_dtype=COMMAND,
        spread=SPREAD,
        command_version=COMMAND_VERSION,
        state_dtype=state_dtype(capacities),
        capacities=" ".join(f"{name}={count}" for name, count in _named(capacities).items()),
        apply=apply,
        prepare=prepare,
        next_due=next_due,
        refusal=refusal,
        digest=digest,
        first_difference=first_difference,
        projection=TradingProjection,
        convert=convert,
        open_folder=open_folder,
        restored=load_named_rules,
    )


def _named(capacities: Capacities) -> dict[str, int]:
    """Return the capacities that tell a journal; one that is new to journals, where it is not the default."""
    groups = Capacities().groups
    return {name: count for name, count in asdict(capacities).items() if name != "groups" or count != groups}


def open_folder(data_dir: Path, end: End) -> None:
    """Let kernels of this process find the rules of a data folder; end : where one is not there."""
    load_from(data_dir / FOLDER, VOCABULARY, end)


def load_named_rules(state: Any) -> None:
    """Load every set of rules that a state names."""
    for first, second in state[0]["rule_sets"]["hash"].tolist():
        if first or second:
            load_once(first, second)


def refusal(event: Any) -> str:
    """Return the name of the reason for which an event refuses its command; nothing where it does not."""
    return Reason(int(event["reason"])).name if event["kind"] == EventKind.REJECTED else ""
