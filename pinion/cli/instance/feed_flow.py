"""The seeded order flow of the benchmarks, fitted to a running instance.

The flow numbers instruments, accounts and client ids from the beginning; an instance has
its own already. So symbols are defined where they are missing, accounts are moved to a
range of their own, and client ids continue from chunk to chunk. The flow knows what lives
in its books, and chooses from that what to cancel: orders that it does not know of would
trade with its own, which are then cancelled in vain (`unknown_order`). So what an earlier
flow left open is cancelled first, and what others have in these books is told.

The next chunk is generated while one is sent, by a thread that holds the GIL for two
milliseconds at most: a pause of the feeder would count as latency of the instance.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from engine.contract.errors import UsageError
from engine.contract.port import PortError
from engine.trading.records import ALL_INSTRUMENTS, COMMAND, COMMAND_VERSION, Op, Role, text_words, words_text
from gateways.feed.meter import reasons
from gateways.feed.ring_door import BATCH_COMMANDS, IDLE_SECONDS, RingDoor
from perf.flow.generate import Flow, generate
from perf.flow.mixes import EVERY_MIX, POWER_LAW, Mix
from pinion.cli.kernels import announced_compilation

FLOW_INPUT = "flow"
CHUNK_COMMANDS = 200_000
BACKGROUND_NICENESS = 10
FIRST_ACCOUNT = 1_000_000_000
ACCOUNTS_MAX = max(mix.account_count for mix in EVERY_MIX.values())
CLIENT_ID_BITS = 31
CURRENCY = "USD"
Commands = npt.NDArray[np.void]


def flow_mix(name: str) -> Mix | None:
    """Return the mix that an INPUT names: `flow` or `flow:NAME`; None when it names a file.

    Raises UsageError where there is no such mix.
    """
    word, colon, mix_name = name.partition(":")
    if word != FLOW_INPUT:
        return None
    if colon and mix_name not in EVERY_MIX:
        known = ", ".join(f"{FLOW_INPUT}:{each}" for each in EVERY_MIX)
        raise UsageError(f"{name}: the flow has no mix {mix_name!r}; there are {known}")
    return EVERY_MIX[mix_name] if colon else POWER_LAW


def first_chunk(mix: Mix) -> Flow:
    """Return the beginning of the flow; the kernels that generate it are compiled on the way."""
    with announced_compilation():
        return generate(mix, seed=1, count=CHUNK_COMMANDS)


def set_up(door: RingDoor, flow: Flow) -> None:
    """Define what the flow uses and the instance lacks, and empty its books; time counts from now on."""
    _define(door, flow)
    door.send(_mass_cancels(_accounts_of_flows(door)))
    door.settle()
    if door.meter.rejections:
        raise PortError(f"the instance refused the flow's set-up: {reasons(door.meter.rejections)}")
    door.meter.restart()
    door.note_resting(_symbols(flow.mix))


def flow_batches(door: RingDoor, flow: Flow, *, is_endless: bool) -> Iterator[Commands]:
    """Return the flow in batches, ready to send; `flow` is its first chunk, for which the venue is set up."""
    # Seconds since 1970 fit the upper half: no two feeds of an instance use the same id.
    first_id = int(time.time()) << CLIENT_ID_BITS
    indices = _instruments(door, flow.mix)
    # Niceness is the thread's own on Linux: the sending thread and the instance go first.
    with ThreadPoolExecutor(1, "flow", os.nice, (BACKGROUND_NICENESS,)) as background:
        while True:
            seed = flow.seed + 1
            if is_endless:
                ahead = background.submit(generate, flow.mix, seed=seed, count=CHUNK_COMMANDS)
            for batch in _batches(flow.commands[flow.set_up :]):
                yield _fitted(batch, indices, first_id)
            # The next chunk begins with empty books.
            yield from _batches(
                _mass_cancels(range(FIRST_ACCOUNT + 1, FIRST_ACCOUNT + 1 + flow.mix.account_count))
            )
            if not is_endless:
                return
            first_id += len(flow.commands)  # no command brings more than one id
            flow = _awaited(door, ahead)


def _awaited(door: RingDoor, ahead: "Future[Flow]") -> Flow:
    """Return the next chunk; where the door was faster, go on taking its answers until it is there."""
    while not ahead.done():
        if not door.poll():
            time.sleep(IDLE_SECONDS)
    return ahead.result()


def _batches(commands: Commands) -> Iterator[Commands]:
    for first in range(0, len(commands), BATCH_COMMANDS):
        yield commands[first : first + BATCH_COMMANDS]


def _define(door: RingDoor, flow: Flow) -> None:
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
    # Money is given once: after some runs there would be more than the engine can count.
    door.send(
        np.array([row for row in accounts if door.view.account_idx(int(row["account"])) is None], COMMAND)
    )
    door.settle()
    door.refresh()


def _symbol(row: np.void) -> str:
    return words_text(row["text"][:2]).decode()


def _instruments(door: RingDoor, mix: Mix) -> npt.NDArray[np.int64]:
    """Return the instance's index of every symbol of the mix."""
    symbols = door.encoder.catalogue.instrument_by_symbol
    return np.array([symbols[symbol].instrument_idx for symbol in _symbols(mix)])


def _symbols(mix: Mix) -> list[str]:
    return [f"SYM{idx:05d}" for idx in range(mix.symbol_count)]


def _fitted(commands: Commands, indices: npt.NDArray[np.int64], first_id: int) -> Commands:
    """Give the flow's commands, in place, the instance's indices, their own accounts and unused ids."""
    assert not commands["order_id"].any(), "the flow names orders by client id alone"
    commands["instrument"] = indices[commands["instrument"]]
    commands["account"] += FIRST_ACCOUNT
    commands["client_order_id"] += first_id
    return commands


def _accounts_of_flows(door: RingDoor) -> list[int]:
    """Return the accounts of any flow, of whatever mix, that have open orders."""
    of_flows = range(FIRST_ACCOUNT + 1, FIRST_ACCOUNT + 1 + ACCOUNTS_MAX)
    return [account for account in door.view.accounts_with_orders() if account in of_flows]


def _mass_cancels(accounts: Sequence[int]) -> Commands:
    """Return the commands that cancel every order of these accounts."""
    commands = np.zeros(len(accounts), COMMAND)
    commands["op"] = Op.MASS_CANCEL
    commands["version"] = COMMAND_VERSION
    commands["roles"] = int(Role.TRADER)
    commands["instrument"] = ALL_INSTRUMENTS
    commands["account"] = accounts
    return commands
