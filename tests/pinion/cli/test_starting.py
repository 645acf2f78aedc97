"""What a start tells the doors of an application."""

from dataclasses import replace
from pathlib import Path

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
