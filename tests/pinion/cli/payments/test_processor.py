"""`pinion payments processor`: it serves on loopback until a signal, with the faults that it is told."""

import argparse
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from engine.contract.errors import UsageError
from pinion.cli.payments.sample import processor
from tests.gateways.payments.bodies_of_payments import PAN

COMMAND = (sys.executable, "-m", "pinion.cli.main", "payments", "processor", "--port", "0")
WAIT_S = 30.0


@contextmanager
def running(*options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run it; yield where it listens, and its process."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline().removeprefix("ready "))
        yield ready["processor"].removeprefix("http://"), process
    finally:
        process.kill()
        process.communicate()


def ask(address: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask it something."""
    with closing(http.client.HTTPConnection(address, timeout=WAIT_S)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def test_it_approves_reverses_and_says_at_the_end_what_became_of_payments() -> None:
    with running() as (address, process):
        paid = {"payment": "a-1", "amount": 5, "card": {"pan": PAN}}
        assert ask(address, "POST", "/payments", paid) == (200, {"payment": "a-1", "outcome": "approved"})
        for payment in ("a-1", "a-2"):
            expected = (200, {"payment": payment, "outcome": "reversed"})
            assert ask(address, "POST", "/reversals", {"payment": payment}) == expected
        late = {"payment": "a-2", "amount": 5}
        assert ask(address, "POST", "/payments", late) == (200, {"payment": "a-2", "outcome": "declined"})
        assert ask(address, "POST", "/payments", {"payment": "a-3", "amount": 5})[0] == 200
        status, book = ask(address, "GET", "/book")
        assert (status, book["counts"]) == (200, {"reversed": 2, "approved": 1})
        assert PAN not in json.dumps(book)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == 'processed {"reversed":2,"approved":1}\n'


def test_it_fails_as_often_as_it_is_told() -> None:
    with running("--down", "50", "--decline", "50", "--seed", "4") as (address, _):
        answers = [
            ask(address, "POST", "/payments", {"payment": f"a-{number}", "amount": 5})[0]
            for number in range(40)
        ]
        _, book = ask(address, "GET", "/book")
        assert set(answers) == {200, 503}
        assert book["counts"] == {"declined": answers.count(200)}


def test_more_than_a_hundred_of_a_hundred_requests_are_refused() -> None:
    parser = argparse.ArgumentParser()
    processor.add_arguments(parser)
    with pytest.raises(UsageError, match="the faults make 101 of 100 requests"):
        processor.run(parser.parse_args(["--down", "100", "--slow", "1"]))


def test_a_port_that_is_taken_is_named() -> None:
    parser = argparse.ArgumentParser()
    processor.add_arguments(parser)
    with running() as (address, _):
        port = address.rpartition(":")[2]
        with pytest.raises(UsageError, match=f"--port {port}: cannot be listened on"):
            processor.run(parser.parse_args(["--port", port]))
