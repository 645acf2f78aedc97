"""The fleet of an instance, as the configuration says it, as a command."""

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.payments.fleet_records import OnStoreDown, Sighted
from engine.payments.fleet_settings import FleetSettings
from engine.payments.records import COMMAND, Op


def joining(settings: FleetSettings | None, state: Any) -> npt.NDArray[np.void]:
    """Return the command where a state does not know the settings yet, else none.

    state : array of one STATE record
    """
    known = state[0]["fleet"][0]
    if settings is None:
        wanted, on_sightings = (0, OnStoreDown.LOCAL), (OnStoreDown.LOCAL,) * len(Sighted)
        is_known = not known["is_on"]
    else:
        wanted, on_sightings = (settings.instances, settings.on_daily), settings.on_sightings
        said = known["is_on"], known["instances"], known["on_store_down"], *known["on_sightings"]
        is_known = said == (1, *wanted, *on_sightings)
    if is_known:
        return np.zeros(0, COMMAND)
    command = np.zeros(1, COMMAND)
    command["op"], command["payment"], command["kind"] = Op.FLEET, *wanted
    command["words"][0, : len(on_sightings)] = on_sightings
    return command
