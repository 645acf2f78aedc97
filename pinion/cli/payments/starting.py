"""How payments are started: their doors, their key, their rules and what a file sets up."""

from pathlib import Path
from typing import Any

from msgspec import to_builtins

from engine.payments.records import Role
from engine.payments.settings import (
    DEMO_KEY_NAME,
    ROLE_NAMES,
    ForwardSection,
    Iso8583Section,
    PaymentSection,
    PaymentsKeySettings,
    PaymentsSettings,
    peer_address,
)
from engine.runtime.journal.journal import FOLDER as JOURNAL
from engine.settings.addresses import ANY
from engine.settings.demo_key import demo_token
from gateways.fleet.counts import FLEET_COUNTS
from gateways.fleet.store_place import private_url
from gateways.payments.door.allowances import FLEET_RATE
from gateways.payments.door.limiters import COUNTS, NO_LIMITS
from gateways.payments.door.parts import FORWARD
from pinion.cli.payments.set_up import first_commands, hash_key_file
from pinion.cli.starting import Companion, Door, Starting


def _demo_keys(data_dir: Path) -> tuple[PaymentsKeySettings, ...]:
    return (PaymentsKeySettings(name=DEMO_KEY_NAME, token=demo_token(data_dir), roles=ROLE_NAMES),)


def _door_application(settings: PaymentsSettings, data_dir: Path) -> dict[str, Any]:
    section = settings.payments
    return {
        **_iso8583_application(section.iso8583),
        **_forward_application(section.forward),
        **_fleet_application(section, data_dir),
        **_fleet_rate(settings),
        "instance": section.instance,
        "clock": section.clock,
        "door_host": next((each for each in section.hosts if each != ANY), ""),
        "limits": {name: to_builtins(getattr(section, name)) for name in NO_LIMITS},
        "hash_key_file": str(hash_key_file(section, data_dir)),
    }


def _iso8583_application(section: Iso8583Section | None) -> dict[str, Any]:
    if section is None:
        return {}
    peers = {peer_address(each.address): each.key for each in section.peers}
    return {"peers": peers, "idle_timeout_s": section.idle_timeout_s}


def _forward_application(section: ForwardSection | None) -> dict[str, Any]:
    return {} if section is None else {FORWARD: {"url": section.url, "deadline_ms": section.deadline_ms}}


def _fleet_application(section: PaymentSection, data_dir: Path) -> dict[str, Any]:
    """Return what the processes of a fleet are told; nothing where there is none."""
    if section.fleet is None:
        return {}
    return {
        "fleet_name": section.fleet.name,
        "fleet_instances": section.fleet.instances,
        "fleet_id_file": str(data_dir / JOURNAL / "fleet.id"),
        "fleet_url": section.fleet.url or private_url(data_dir),
    }


def _fleet_rate(settings: PaymentsSettings) -> dict[str, Any]:
    """Return what processes are told of a rate that a fleet shares; nothing where it shares none."""
    section = settings.payments
    if section.fleet is None or section.rate is None:
        return {}
    told = {
        "per_second": section.rate.per_second,
        "burst": section.rate.burst,
        "instances": section.fleet.instances,
        "on_store_down": section.fleet.on_client_rate,
        "doors": ["payments"] if section.iso8583 is None else ["payments", "iso8583"],
        "keys": [each.name for each in settings.keys],
    }
    return {FLEET_RATE: told}


STARTING = Starting(
    demo=PaymentsSettings,
    demo_keys=_demo_keys,
    has_demo_key=True,
    roles=Role,
    doors=(
        Door(
            name="payments",
            section="payments",
            option="--port",
            purpose="payments",
            module="gateways.payments.serve",
            counts=COUNTS,
        ),
        Door(
            name="iso8583",
            section="payments.iso8583",
            option="--iso8583-port",
            purpose="ISO 8583 messages, where the configuration has that door",
            module="gateways.iso8583.serve",
            scheme="tcp",
            counts=COUNTS,
        ),
        Door(
            name="api",
            section="api",
            option="--api-port",
            purpose="queries",
            module="api.payments.serve",
            has_ring=False,
        ),
    ),
    companions=(
        Companion(
            name="store",
            section="payments.fleet",
            module="gateways.fleet.private_store",
            is_wanted=lambda settings: (
                settings.payments.fleet is not None and not settings.payments.fleet.url
            ),
        ),
        Companion(
            name="fleet",
            section="payments.fleet",
            module="gateways.fleet.serve",
            is_wanted=lambda settings: settings.payments.fleet is not None,
            has_ring=True,
            counts=FLEET_COUNTS,
        ),
    ),
    definitions=lambda settings: (),
    missing=lambda definitions, state: definitions,
    set_up=first_commands,
    door_application=_door_application,
)
