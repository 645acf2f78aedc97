"""The seeded order flow of the benchmarks, fitted to a running instance.

The flow numbers instruments, accounts and client ids from the beginning; an instance has
its own already. So symbols are defined where they are missing, accounts are moved to a
range of their own, and client ids continue from chunk to chunk.
"""

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.records import ALL_INSTRUMENTS, COMMAND, COMMAND_VERSION, Op, Role, text_words, words_text
from gateways.feed.ring_door import BATCH_COMMANDS, RingDoor
from perf.flow.generate import Flow, generate
from perf.flow.mixes import EVERY_MIX, POWER_LAW, Mix

FLOW_INPUT = "flow"
CHUNK_COMMANDS = 200_000
FIRST_ACCOUNT = 1_000_000_000
CLIENT_ID_BITS = 31
CURRENCY = "USD"
Commands = npt.NDArray[np.void]


def flow_mix(name: str) -> Mix | None:
    """Return the mix that an INPUT names: `flow` or `flow:NAME`; None when it names a file."""
    word, colon, mix_name = name.partition(":")
    if word != FLOW_INPUT:
        return None
    return EVERY_MIX.get(mix_name) if colon else POWER_LAW


def flow_batches(door: RingDoor, mix: Mix, *, is_endless: bool) -> Iterator[Commands]:
    """Return the flow in batches, ready to send; the venue is set up on the way."""
    # Seconds since 1970 fit the upper half: no two feeds of an instance use the same id.
    first_id = int(time.time()) << CLIENT_ID_BITS
    seed = 1
    while True:
        flow = generate(mix, seed=seed, count=CHUNK_COMMANDS)
        if seed == 1:
            _set_up(door, flow)
            door.meter.restart()
        commands = flow.commands[flow.set_up :].copy()
        _fit(door, commands, first_id + (seed - 1) * CHUNK_COMMANDS * 2)
        yield from _batches(commands)
        yield from _batches(_clean_up(flow))
        seed += 1
        if not is_endless:
            return


def _batches(commands: Commands) -> Iterator[Commands]:
    for first in range(0, len(commands), BATCH_COMMANDS):
        yield commands[first : first + BATCH_COMMANDS]


def _set_up(door: RingDoor, flow: Flow) -> None:
    """Define what the flow uses and the instance lacks."""
    if CURRENCY not in door.encoder.catalogue.currency_by_code:
        door.define({"op": "currency", "currency": CURRENCY})
    currency = door.encoder.catalogue.currency(CURRENCY).currency_idx
    given = flow.commands[: flow.set_up].copy()
    instruments = given[given["op"] == Op.INSTRUMENT]
    instruments["time_in_force"] = instruments["stp_mode"] = currency
    known = door.encoder.catalogue.instrument_by_symbol
    door.send(np.array([row for row in instruments if _symbol(row) not in known], COMMAND))
    accounts = given[given["op"] == Op.ACCOUNT]
    accounts["account"] += FIRST_ACCOUNT
    accounts["text"] = text_words(bytes([currency]))
    door.send(accounts)
    door.settle()
    door.refresh()


def _symbol(row: np.void) -> str:
    return words_text(row["text"][:2]).decode()


def _fit(door: RingDoor, commands: Commands, first_id: int) -> None:
    """Give the flow's commands the instance's indices, their own accounts and unused ids."""
    assert not commands["order_id"].any(), "the flow names orders by client id alone"
    symbols = door.encoder.catalogue.instrument_by_symbol
    indices = np.array(
        [symbols[f"SYM{idx:05d}"].instrument_idx for idx in range(int(commands["instrument"].max()) + 1)]
    )
    commands["instrument"] = indices[commands["instrument"]]
    commands["account"] += FIRST_ACCOUNT
    commands["client_order_id"] += first_id


def _clean_up(flow: Flow) -> Commands:
    """Return the mass cancels that empty the books behind a chunk: the next begins with empty ones."""
    commands = np.zeros(flow.mix.account_count, COMMAND)
    commands["op"] = Op.MASS_CANCEL
    commands["version"] = COMMAND_VERSION
    commands["roles"] = int(Role.TRADER)
    commands["instrument"] = ALL_INSTRUMENTS
    commands["account"] = np.arange(1, flow.mix.account_count + 1) + FIRST_ACCOUNT
    return commands
