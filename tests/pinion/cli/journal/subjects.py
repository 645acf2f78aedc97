"""The applications whose journals the tools are tried on: capacities, commands, a configuration."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.payments.name import PAYMENTS as PAYMENTS_NAME
from engine.payments.records import COMMAND as PAYMENT_COMMAND
from engine.payments.records import Op
from engine.trading.capacities import Capacities
from engine.trading.name import TRADING as TRADING_NAME
from pinion.cli.main import main
from tests.capacities import SMALL
from tests.engine.payments.building import SMALL as SMALL_PAYMENTS
from tests.engine.payments.building import command
from tests.engine.payments.random_flow import Flow, first_commands
from tests.engine.runtime import echo
from tests.engine.runtime.echo_tools import BOTH
from tests.pinion.cli.journal import small_journal

Commands = list[np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An application as these tests need it."""

    name: str
    small: dict[str, int]
    large: dict[str, int]
    """The defaults of its settings, or what a file must say."""
    definitions: Sequence[np.ndarray]
    """What comes before the other commands."""
    filling: Callable[[int, int], Commands]
    """(first, count) -> commands that ask for more than `small` has room for, if there are many."""
    mixed: Callable[[int, int, int], Commands]
    """(first, count, seed) -> commands of which some are refused."""
    section: str = "engine.capacities"
    """Of a configuration, where the capacities stand."""
    is_full: tuple[str, int]
    """Capacity, and how much of it is in use once many `filling` came."""

    def write_config(self, path: Path, capacities: dict[str, int]) -> Path:
        """Write a configuration of these capacities."""
        lines = [f"{name} = {value}\n" for name, value in capacities.items()]
        path.write_text("".join([f"[{self.section}]\n", *lines]))
        return path


ROOM = {"accounts": echo.ACCOUNTS}


def additions(first: int, count: int) -> Commands:
    """Return additions to accounts of which `small` has every second."""
    return [_addition(number, 2 * ROOM["accounts"]) for number in range(first, first + count)]


def mixed_additions(first: int, count: int, seed: int) -> Commands:
    """Return additions to accounts at random, ticks among them."""
    rng, made = Random(seed), []
    for _ in range(count):
        command = _addition(rng.randrange(2**20), ROOM["accounts"] + 3)
        if rng.random() < 0.1:
            command["op"] = echo.TICK
        made.append(command)
    return made


def _addition(number: int, accounts: int) -> np.ndarray:
    command = np.zeros(1, echo.COMMAND)
    command["op"], command["req_seq"], command["mark"] = echo.ADD, number, 1 + number % 9
    command["account"], command["count"] = number % accounts, 1 + number % 3
    return command


def listed_cards(first: int, count: int) -> Commands:
    """Return cards for a list, each another one."""
    cards = range(first, first + count)
    return [_alone(command(Op.LIST, kind=1, payment=1, words={0: card, 1: 1})) for card in cards]


def mixed_payments(first: int, count: int, seed: int) -> Commands:
    """Return payments, operations on what may be one, deposits and lists."""
    flow = Flow(seed)
    flow.number, flow.known = first, list(range(1, first + count))
    return [_alone(flow.next()) for _ in range(count)]


def _alone(record: Any) -> np.ndarray:
    return np.array([record], PAYMENT_COMMAND)


TRADING = Subject(
    name=TRADING_NAME,
    small=asdict(SMALL),
    large=asdict(Capacities()),
    definitions=small_journal.DEFINITIONS,
    filling=small_journal.resting,
    mixed=small_journal.mixed,
    is_full=("orders", SMALL.orders),
)
ECHO = Subject(
    name=echo.NAME,
    small=ROOM,
    large={"accounts": 64},
    definitions=additions(0, len(small_journal.DEFINITIONS)),
    filling=additions,
    mixed=mixed_additions,
    is_full=("accounts", echo.ACCOUNTS),
)
PAYMENTS = Subject(
    name=PAYMENTS_NAME,
    small=asdict(SMALL_PAYMENTS),
    large={name: 2 * size for name, size in asdict(SMALL_PAYMENTS).items()} | {"list_entries": 1024},
    definitions=[_alone(each) for each in first_commands()],
    filling=listed_cards,
    mixed=mixed_payments,
    section="payments.capacities",
    is_full=("list_entries", SMALL_PAYMENTS.list_entries),
)
SUBJECTS = (TRADING, ECHO, PAYMENTS)
NAMES = ("trading", "echo", "payments")
OF_TRADING = pytest.mark.parametrize("subject", [TRADING], ids=["trading"], indirect=True)
"""A test about what trading alone has."""


def pinion(arguments: Sequence[str]) -> int:
    """Run the command line as a program that knows all applications; return the exit code."""
    return main(arguments, BOTH)
