"""One size of the state for all tests: kernels are compiled for each set of capacities, a minute or more."""

from dataclasses import asdict

from engine.trading.capacities import Capacities

# The window of client ids is larger than any stream of orders here: it forgets as little as the oracle's.
SMALL = Capacities(
    orders=512, instruments=8, accounts=128, currencies=8, positions=256, client_ids=2**14, groups=8
)
SMALL_ENGINE = "\n".join(
    ["event_ring = 16384", "spare_rings = 1", "[engine.capacities]"]
    + [f"{name} = {value}" for name, value in asdict(SMALL).items()]
)
"""What stands behind `[engine]` in a configuration: the loop is compiled for the rings, too."""
