"""The echo application for the command line: its settings, its row of the registry, how it is started."""

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import Any, ClassVar

from engine.contract.records import Operation
from engine.settings.config import Count, EngineSettings, HistorySettings, InstanceSettings
from engine.settings.door_settings import SocketSettings
from engine.settings.sections import Section
from pinion.cli.applications import APPLICATIONS, Applications, ApplicationTools
from pinion.cli.starting import Door, Starting
from tests.engine.runtime.echo import ACCOUNTS, ADD, NAME, application


class EchoCapacities(Section, frozen=True, kw_only=True):
    """[engine.capacities]"""

    accounts: Count = ACCOUNTS


class EchoEngineSettings(EngineSettings, frozen=True, kw_only=True):
    """[engine], with the capacity of the state."""

    capacities: EchoCapacities = EchoCapacities()


class EchoDoorSettings(SocketSettings, frozen=True, kw_only=True):
    """[echoes]"""

    section: ClassVar[str] = "echoes"


class EchoSettings(InstanceSettings, frozen=True, kw_only=True):
    """The whole file of an echo instance."""

    engine: EchoEngineSettings = EchoEngineSettings()
    echoes: EchoDoorSettings = EchoDoorSettings()


class Role(IntFlag):
    """Whose keys the echo would take: its door asks for none."""

    CALLER = 1


DEMO = EchoSettings(
    engine=EchoEngineSettings(
        command_ring=256, journal_ring=256, event_ring=2048, batch=16, cpu="none", lock_memory=False,
        spare_rings=1, journal_segment=1024, snapshot_every=2**16,
    ),
    history=HistorySettings(enabled=False),
)  # fmt: skip


def _too_small(state: Any, capacities: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    given, used = capacities["accounts"], int(state[0]["accounts_used"])
    return {"accounts": (given, used)} if given < used else {}


TOOLS = ApplicationTools(
    make=lambda capacities: application(**capacities),
    capacities=EchoCapacities,
    settings=EchoSettings,
    too_small=_too_small,
    capacities_of=lambda state: {"accounts": len(state[0]["totals"])},
    operations={**{int(each): each.name.lower() for each in Operation}, ADD: "add"},
    counts=lambda state: {"accounts": int(state["accounts_used"][0])},
    starting=Starting(
        demo=lambda: DEMO,
        demo_keys=lambda data_dir: (),
        roles=Role,
        doors=(
            Door(
                name="echo_door",
                section="echoes",
                option="--echo-port",
                purpose="additions",
                module="tests.engine.runtime.echo_door",
                scheme="tcp",
            ),
        ),
        definitions=lambda settings: (),
        missing=lambda definitions, state: definitions,
    ),
)
BOTH: Applications = MappingProxyType({**APPLICATIONS, NAME: lambda: TOOLS})
"""The registry of the program with the echo application beside trading."""
