"""The example in the package's docstring works as written."""

import textwrap
from typing import Any

import ringbuf


def test_the_example_of_the_docstring_runs(segment_name: str) -> None:
    example = (ringbuf.__doc__ or "").split("In one process:\n")[1].split("\nAs kernels")[0]
    creating, attaching = (
        textwrap.dedent(block).replace('"quotes"', repr(segment_name))
        for block in example.split("\nand in another, while that block lasts:\n")
    )
    attaching = attaching.replace("ring.pop(", "popped = ring.pop(")
    names: dict[str, Any] = {}

    exec(creating + textwrap.indent(attaching, "    "), names)

    assert names["popped"].tolist() == [(100, 5)]
