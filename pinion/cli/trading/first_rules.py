"""Rules that the configuration names: made ready before a start, registered and activated where they are new.

A set that the journal knows already stays as it is, and so does whatever governs now: operators go on from
there. Other files are another set, which governs from that start on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.errors import reason_of
from engine.rules.stored import FOLDER
from engine.runtime.supervision.configure import Definition, FirstCommands
from engine.settings.config import ConfigError
from engine.trading.records import ALL_INSTRUMENTS, COMMAND, Op, text_words
from engine.trading.settings import TradingSettings
from gateways.process.workshop import NotReadyError, RulesFault, made_ready

PROGRAM = "engine.trading.rules.workshop"
SETTING = "rules.files"
WHO = b"the configuration"


def first_rules(settings: TradingSettings, data_dir: Path, file: Path | None) -> FirstCommands:
    """Return the commands about rules that a start sends first; ConfigError where a file is no set."""
    if not settings.rules.files:
        return FirstCommands(missing=lambda state: ())
    try:
        source = made_ready(_files(settings.rules.files), data_dir / FOLDER, PROGRAM)
    except (RulesFault, NotReadyError) as fault:
        raise ConfigError(f"{SETTING}: {fault}") from fault

    def missing(state: Any) -> Sequence[Definition]:
        known = {each.tobytes() for each in state[0]["rule_sets"]["hash"]}
        return () if source in known else (Definition(SETTING, _commands(source)),)

    return FirstCommands(missing=missing)


def _files(names: Sequence[str]) -> dict[str, str]:
    files: dict[str, str] = {}
    for path in map(Path, names):
        if path.name in files:
            raise ConfigError(f"{SETTING}: two files are called {path.name}; rename one")
        try:
            files[path.name] = path.read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"{SETTING}: {path}: {reason_of(error)}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{SETTING}: {path}: is no text in UTF-8 (byte {error.start})") from error
    return files


def _commands(source: bytes) -> np.ndarray:
    commands = np.zeros(2, COMMAND)
    commands["op"] = Op.RULES_REGISTER, Op.RULES_ACTIVATE
    commands["px"], commands["qty"] = np.frombuffer(source, "<i8").tolist()
    commands["instrument"], commands["text"] = ALL_INSTRUMENTS, text_words(WHO)
    return commands
