"""The fleet of an instance, as the configuration says it, as a command."""

from typing import Any

import numpy as np

from engine.payments.beyond.fleet_records import OnStoreDown
from engine.payments.beyond.fleet_settings import FleetSettings
from engine.payments.records import COMMAND, Op
from engine.runtime.supervision.configure import Definition


def missing(settings: FleetSettings | None, state: Any) -> list[Definition]:
    """Return the command where a state does not know the settings yet; an instance alone needs none.

    state : array of one STATE record
    """
    known = state[0]["fleet"][0]
    if settings is None:
        wanted = (0, OnStoreDown.LOCAL)
        is_known = not known["is_on"]
    else:
        wanted = (settings.instances, settings.on_daily)
        is_known = (known["is_on"], known["instances"], known["on_store_down"]) == (1, *wanted)
    if is_known:
        return []
    commands = np.zeros(1, COMMAND)
    commands["op"], commands["payment"], commands["kind"] = Op.FLEET, *wanted
    return [Definition("payments.fleet", commands)]
