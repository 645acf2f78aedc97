"""How payments are started: their doors, their key, their rules and what a file sets up."""

from pathlib import Path

from engine.payments.records import Role
from engine.payments.settings import ROLE_NAMES, PaymentsKeySettings, PaymentsSettings
from engine.settings.demo_key import demo_token
from pinion.cli.payments.set_up import first_commands, hash_key_file
from pinion.cli.starting import Door, Starting


def _demo_keys(data_dir: Path) -> tuple[PaymentsKeySettings, ...]:
    return (PaymentsKeySettings(name="demo", token=demo_token(data_dir), roles=ROLE_NAMES),)


def _door_application(settings: PaymentsSettings, data_dir: Path) -> dict[str, str]:
    section = settings.payments
    return {
        "instance": section.instance,
        "clock": section.clock,
        "hash_key_file": str(hash_key_file(section, data_dir)),
    }


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
    definitions=lambda settings: (),
    missing=lambda definitions, state: definitions,
    set_up=first_commands,
    door_application=_door_application,
)
