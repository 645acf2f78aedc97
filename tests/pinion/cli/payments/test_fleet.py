"""What a start does about a fleet: which processes there are, and what the engine is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.payments.fleet_records import OnStoreDown
from engine.payments.fleet_settings import FleetLimits, FleetSettings
from engine.payments.records import Op
from engine.payments.settings import PaymentSection, PaymentsKeySettings, PaymentsSettings, RateSettings
from gateways.fleet.counts import FLEET_COUNTS
from gateways.fleet.joining import joining
from gateways.payments.door.allowances import FLEET_RATE
from pinion.cli.payments.starting import STARTING
from tests.engine.payments.building import Engine

DATA = Path("/data")
TWO = FleetSettings(url="redis://10.0.0.1", instances=2)


def processes(fleet: FleetSettings | None) -> dict[str, Any]:
    """Return the specifications of an instance's own processes by name."""
    settings = PaymentsSettings(payments=PaymentSection(fleet=fleet))
    return {each.settings.name: each for each in STARTING.door_specs(settings, DATA)}


def test_without_a_fleet_there_is_none_of_its_processes() -> None:
    assert list(processes(None)) == ["payments", "api"]


def test_a_fleet_with_a_store_of_its_own_has_one_process_and_a_ring() -> None:
    found = processes(TWO)

    assert list(found) == ["payments", "api", "fleet"]
    told = found["fleet"].settings
    assert (told.ring_name, told.scheme, told.section) == ("fleet", "", "payments.fleet")
    assert told.application["fleet_url"] == "redis://10.0.0.1"
    assert found["fleet"].counters == tuple(f"fleet.{each}" for each in FLEET_COUNTS)


def test_a_fleet_without_an_address_has_a_private_store_in_the_data_folder() -> None:
    found = processes(FleetSettings())

    assert list(found) == ["payments", "api", "store", "fleet"]
    assert found["store"].settings.ring_name == ""
    assert found["fleet"].settings.application["fleet_url"] == "unix:///data/store.sock"


def test_a_lean_start_keeps_the_processes_of_a_fleet() -> None:
    settings = PaymentsSettings(payments=PaymentSection(fleet=FleetSettings()))

    names = [each.settings.name for each in STARTING.lean.door_specs(settings, DATA)]

    assert names == ["payments", "store", "fleet"]


def told(engine: Engine, settings: FleetSettings | None) -> list[tuple[int, int, int]]:
    """Return what an engine is told at a start with these settings, and tell it."""
    commands = joining(settings, engine.replica.state)
    if len(commands):
        engine.tell(*commands)
    return [(int(each["op"]), int(each["payment"]), int(each["kind"])) for each in commands]


@pytest.mark.parametrize("again", [1, 2])
def test_an_engine_is_told_once_what_its_fleet_is(again: int) -> None:
    engine = Engine()
    assert told(engine, None) == []
    assert not engine.s["fleet"].view(np.int64).any()

    assert told(engine, TWO) == [(Op.FLEET, 2, OnStoreDown.LOCAL)]
    for _ in range(again):
        assert told(engine, TWO) == []
    other = FleetSettings(url=TWO.url, instances=2, on_store_down="decline")
    assert told(engine, other) == [(Op.FLEET, 2, OnStoreDown.DECLINE)]
    assert told(engine, None) == [(Op.FLEET, 0, OnStoreDown.LOCAL)]
    assert told(engine, None) == []


def test_an_engine_is_told_what_holds_for_each_limit_on_distinct_cards() -> None:
    engine = Engine()
    limits = FleetLimits(ip_cards_1h="decline", email_cards_24h="allow")
    other = FleetSettings(url=TWO.url, instances=2, limits=limits)
    told(engine, TWO)

    assert told(engine, other) == [(Op.FLEET, 2, OnStoreDown.LOCAL)]

    policies = OnStoreDown.LOCAL, OnStoreDown.DECLINE, OnStoreDown.ALLOW
    assert tuple(engine.s["fleet"][0]["on_sightings"].tolist()) == policies
    assert told(engine, other) == []


def test_doors_and_fleet_process_are_told_of_a_rate_that_they_share_where_there_is_one() -> None:
    rate = RateSettings(per_second=100, burst=9)
    fleet = FleetSettings(url=TWO.url, instances=2, limits=FleetLimits(client_rate="allow"))
    keys = (PaymentsKeySettings(name="shop", token="a" * 40, roles=("acquirer",)),)

    def told_of(section: PaymentSection) -> dict[str, Any]:
        specs = STARTING.door_specs(PaymentsSettings(payments=section, keys=keys), DATA)
        return {each.settings.name: each.settings.application.get(FLEET_RATE) for each in specs}

    both = {"per_second": 100, "burst": 9, "instances": 2, "on_store_down": "allow"}
    both |= {"doors": ["payments"], "keys": ["shop"]}
    found = told_of(PaymentSection(fleet=fleet, rate=rate))
    assert (found["payments"], found["fleet"]) == (both, both)
    assert set(told_of(PaymentSection(fleet=fleet)).values()) == {None}
    assert set(told_of(PaymentSection(rate=rate)).values()) == {None}
