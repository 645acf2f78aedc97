"""Rules that the configuration names: made ready before a start, registered and activated where they are new.

A set that the journal knows already stays as it is, and so does whatever governs now: operators go on from
there. Other files are another set, which governs from that start on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.errors import ToldError
from engine.rules.stored import FOLDER
from engine.runtime.supervision.configure import Definition, FirstCommands
from engine.settings.config import ConfigError
from engine.trading.records import ALL_INSTRUMENTS, COMMAND, Op, text_words
from engine.trading.settings import TradingSettings
from gateways.process.workshop import NotReadyError, RulesFault, made_ready
from pinion.cli.text_files import texts_by_name

PROGRAM = "engine.trading.rules.workshop"
SETTING = "rules.files"
WHO = b"the configuration"


def first_rules(settings: TradingSettings, data_dir: Path, file: Path | None) -> FirstCommands:
    """Return the commands about rules that a start sends first; ConfigError where a file is no set."""
    if not settings.rules.files:
        return FirstCommands(missing=lambda state: ())
    try:
        texts = texts_by_name(map(Path, settings.rules.files))
        source = made_ready(texts, data_dir / FOLDER, PROGRAM)
    except (ToldError, RulesFault, NotReadyError) as fault:
        raise ConfigError(f"{SETTING}: {fault}") from fault

    def missing(state: Any) -> Sequence[Definition]:
        known = {each.tobytes() for each in state[0]["rule_sets"]["hash"]}
        return () if source in known else (Definition(SETTING, _commands(source)),)

    return FirstCommands(missing=missing)


def _commands(source: bytes) -> np.ndarray:
    commands = np.zeros(2, COMMAND)
    commands["op"] = Op.RULES_REGISTER, Op.RULES_ACTIVATE
    commands["px"], commands["qty"] = np.frombuffer(source, "<i8").tolist()
    commands["instrument"], commands["text"] = ALL_INSTRUMENTS, text_words(WHO)
    return commands
