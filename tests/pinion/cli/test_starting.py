"""What a start tells the doors of an application."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.runtime.supervision.configure import Definition, FirstCommands
from pinion.cli.starting import Door
from tests.engine.runtime.echo import COMMAND
from tests.engine.runtime.echo_tools import DEMO, TOOLS

DATA = Path("/data")


def test_doors_are_told_nothing_of_an_application_that_says_nothing() -> None:
    assert [door.settings.application for door in TOOLS.starting.door_specs(DEMO, DATA)] == [{}]


def test_doors_are_told_what_their_application_says() -> None:
    starting = replace(
        TOOLS.starting,
        door_application=lambda settings, data_dir: {
            "shards": settings.engine.batch,
            "file": f"{data_dir}/x",
        },
    )

    (door,) = starting.door_specs(DEMO, DATA)

    assert door.settings.application == {"shards": DEMO.engine.batch, "file": "/data/x"}


def test_a_lean_start_has_no_door_that_only_reads() -> None:
    reading = Door(name="r", section="echoes", option="--r", purpose="questions", module="x", has_ring=False)
    starting = replace(TOOLS.starting, doors=(*TOOLS.starting.doors, reading), pages="echoes")

    assert [door.name for door in starting.lean.doors] == ["echo_door"]
    assert starting.lean.pages == ""


def test_what_a_file_sets_up_follows_the_definitions_of_the_configuration() -> None:
    defined, line = (Definition(name, np.zeros(1, COMMAND)) for name in ("batch", "line 1"))
    given: list[Path | None] = []

    def set_up(settings: object, data_dir: Path, file: Path | None) -> FirstCommands:
        given.append(file)
        return FirstCommands(missing=lambda state: [line])

    alone = TOOLS.starting.first_commands([defined], DEMO, DATA, None)
    both = replace(TOOLS.starting, set_up=set_up).first_commands([defined], DEMO, DATA, Path("lines"))

    assert list(alone.missing(None)) == [defined]
    assert list(both.missing(None)) == [defined, line]
    assert given == [Path("lines")]
