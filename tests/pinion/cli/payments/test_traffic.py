"""`pinion payments traffic`: what it writes."""

import argparse
import json
from pathlib import Path
from typing import Any

from pinion.cli.payments import traffic


def written(tmp_path: Path, *options: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the requests and the set-up that the command writes."""
    out, setup = tmp_path / "requests", tmp_path / "setup"
    parser = argparse.ArgumentParser()
    traffic.add_arguments(parser)
    args = parser.parse_args([*options, "--out", str(out), "--setup", str(setup)])

    assert traffic.run(args) == 0

    requests, lines = ([json.loads(line) for line in path.read_text().splitlines()] for path in (out, setup))
    return requests, lines


def test_as_many_requests_as_asked_for_and_the_set_up_are_written(tmp_path: Path) -> None:
    requests, setup = written(tmp_path, "--count", "2000")

    assert len(requests) == 2000
    assert {line["op"] for line in setup} == {"merchant", "account", "list"}
    assert all(list(request) == ["method", "path", "body"] for request in requests)


def test_the_same_seed_writes_the_same_and_another_one_does_not(tmp_path: Path) -> None:
    first = written(tmp_path, "--count", "500", "--seed", "5")
    again = written(tmp_path, "--count", "500", "--seed", "5")
    other = written(tmp_path, "--count", "500", "--seed", "6")

    assert first == again
    assert first != other


def test_an_operation_names_the_line_that_asked_for_its_payment(tmp_path: Path) -> None:
    requests, _ = written(tmp_path, "--count", "3000")
    captures = [request["path"] for request in requests if request["path"].endswith("/capture")]

    lines = [int(path.split("/")[3].removeprefix("$")) for path in captures]

    assert captures
    assert all(line == 0 or requests[line - 1]["path"] == "/v1/payments" for line in lines)
