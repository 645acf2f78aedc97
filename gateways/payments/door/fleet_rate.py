"""The limiters of a door as its settings say them: alone, or with a rate that a fleet shares."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.settings.config import DoorSettings
from gateways.payments.door.allowances import Allowances, DoorAllowance
from gateways.payments.door.keys import KeyOwner
from gateways.payments.door.limiters import Limiters

FLEET_RATE = "fleet_rate"
"""What processes are told of a rate that a fleet shares, where there is one: that of [payments.rate], how
many instances, what holds without a store, and the names of doors and keys."""
WITHOUT_STORE = {"local": None, "decline": False, "allow": True}


def allowances_of(door: DoorSettings) -> Allowances | None:
    """Return the allowances of an instance; None where it shares no rate."""
    told: Mapping[str, Any] | None = door.application.get(FLEET_RATE)
    return None if told is None else Allowances(door.data_dir, told["doors"], told["keys"])


def limiters_of(door: DoorSettings, owners: Iterable[KeyOwner]) -> Limiters:
    """Return the limiters of a door."""
    allowances = allowances_of(door)
    if allowances is None:
        return Limiters(owners, door.application["limits"])
    told = door.application[FLEET_RATE]
    allowance = DoorAllowance(allowances, door.name, WITHOUT_STORE[told["on_store_down"]])
    limits = door.application["limits"]
    return Limiters(owners, limits, allowance=allowance, instances=told["instances"])
