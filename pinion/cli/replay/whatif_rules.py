"""The rules of a `pinion whatif`: they judge the orders of the second engine, not the journal's own rules."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from engine.contract.control_words import OWN_RING
from engine.contract.errors import ToldError, UsageError
from engine.rules.language.faults import RuleFault
from engine.runtime.replay.eras import EraReplica
from engine.trading.offline.kernels import apply_unnumbered
from engine.trading.offline.rules import labels_of_offered, offer_rules
from engine.trading.records import ALL_INSTRUMENTS, COMMAND, COMMAND_VERSION, Op, Role
from pinion.cli.text_files import texts_by_name


class AskedRules(NamedTuple):
    """A set that was offered to this process, and what its rules are called."""

    source: bytes
    labels: Sequence[str]

    @classmethod
    def of_files(cls, paths: Sequence[Path]) -> Self:
        """Return the set of these files; UsageError where it is none."""
        try:
            source = offer_rules(texts_by_name(paths))
        except ToldError as error:
            raise UsageError(f"--rules: {error}") from error
        except RuleFault as fault:
            raise UsageError(f"--rules: {fault}") from fault
        return cls(source, tuple(name for name, _ in labels_of_offered(source)))

    def let_govern(self, replica: EraReplica) -> None:
        """Let the set judge from the next command on."""
        commands = np.zeros(2, COMMAND)
        commands["op"] = Op.RULES_REGISTER, Op.RULES_ACTIVATE
        commands["version"], commands["roles"] = COMMAND_VERSION, Role.ALL
        commands["instrument"] = ALL_INSTRUMENTS
        commands["px"], commands["qty"] = np.frombuffer(self.source, "<i8").tolist()
        for place in range(len(commands)):
            apply_unnumbered(replica.state, commands[place : place + 1], OWN_RING)


def told_rule(event: Any, labels: Sequence[str]) -> str:
    """Return how a refusal by a rule is told: the rule, and whether it could not compute."""
    number = int(event["cum_qty"])
    name = labels[number - 1] if number <= len(labels) else f"rule_{number}"
    return f"rule {name}" + (" (fault)" if event["leaves_qty"] else "")
