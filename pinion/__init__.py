"""The public Python interface of Pinion: records, simulation and ports into a running instance.

import numpy as np, pinion
events = pinion.simulate(commands)              # offline, a COMMAND array in, EVENTs out
with pinion.claim_spare(data_dir) as gate:      # into a running instance
    gate.submit(commands); gate.drain()
"""

from engine.contract.instance import PortError
from engine.contract.port import EventReader, Port, attach_state, claim_spare
from engine.trading.capacities import Capacities
from engine.trading.kernels.simulate import simulate
from engine.trading.records import (
    COMMAND,
    EVENT,
    CommandFlag,
    EventFlag,
    EventKind,
    Op,
    OrderType,
    Phase,
    Reason,
    Role,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)

__all__ = [
    "COMMAND",
    "EVENT",
    "Capacities",
    "CommandFlag",
    "EventFlag",
    "EventKind",
    "EventReader",
    "Op",
    "OrderType",
    "Phase",
    "Port",
    "PortError",
    "Reason",
    "Role",
    "SelfTradePrevention",
    "Side",
    "Status",
    "TimeInForce",
    "attach_state",
    "claim_spare",
    "simulate",
]
