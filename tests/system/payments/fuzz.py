"""The door under fuzz: python -m tests.system.payments.fuzz --seconds 3600.

Seeded bytes (cases.py) go to the door of a whole instance. Whatever comes back is HTTP, its body JSON of the
right type, its status never 500; requests in between are answered right, and the process stays the same.
"""

import argparse
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Protocol

from engine.contract.port import EventReader
from tests.system.payments.cases import Case, Cases
from tests.system.payments.clients import PAYMENTS
from tests.system.payments.running import JSON, PROBLEM, Caller, RunningPayments, write_settings
from tests.system.payments.wire import BODILESS, Response, address_of, exchange, responses_of

THREADS = 8
BETWEEN = 20
"""Fuzzed cases between two requests that are answered right."""
ANSWER_S, DOUBTFUL_S = 60.0, 0.3
"""How long an answer is waited for where one must come, and where none may."""
SET_UP = """{"op":"merchant","merchant":"right-shop"}
{"op":"account","account":4711,"balances":{"EUR":1000000000000}}"""
"""What the requests in between use, and no fuzzed case."""
NEVER = (500,)
BUSY_STATUS = 503
PATIENT = {"Pinion-Deadline-Ms": "60000"}


class Fuzzing:
    """An instance under fuzz; options : those of its start."""

    def __init__(self, running: RunningPayments, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._running = running
        self._seed = seed
        self._lock = threading.Lock()
        running.await_ready()
        self._pid = running.pid_of("payments")

    def run(self, cases_max: int, seconds_max: float) -> None:
        """Fuzz until there were so many cases, or so long; then look whether the door is the same."""
        give_up = time.monotonic() + seconds_max
        with ThreadPoolExecutor(THREADS) as pool:
            for each in [
                pool.submit(self._thread, number, cases_max // THREADS, give_up) for number in range(THREADS)
            ]:
                each.result()
        with EventReader.attach(self._running.data_dir) as reader:
            restarts = reader.counters()["supervisor.restarts"]
        if self._running.pid_of("payments") != self._pid or restarts:
            self.faults.append(f"the door was restarted, {restarts} times")
        said = self._running.errors.read_text()
        if "Traceback" in said or "ERROR" in said:
            self.faults.append(said)

    def _thread(self, number: int, cases_max: int, give_up: float) -> None:
        cases = Cases(random.Random(f"{self._seed}/{number}"), self._running.key)
        address = address_of(self._running.data_dir)
        counts: Counter[str] = Counter()
        with closing(Caller(self._running.data_dir, self._running.key, ANSWER_S)) as caller:
            for case_number in range(cases_max):
                if time.monotonic() > give_up or self.faults:
                    break
                self._try(cases.next(), address, counts)
                if case_number % BETWEEN == 0:
                    self._ask_rightly(caller, f"right-{number}-{case_number}", counts)
        with self._lock:
            self.counts += counts

    def _try(self, case: Case, address: tuple[str, int], counts: Counter[str]) -> None:
        counts[case.kind] += 1
        wait_s = ANSWER_S if case.is_whole else DOUBTFUL_S
        received, is_closed = exchange(address, case.parts, wait_s, is_one=case.is_whole)
        try:
            found = responses_of(received, case.to_head)
            for response in found:
                require_right(response, case.to_head and response is found[0])
                counts[str(response.status)] += 1
            if not found:
                counts["closed" if is_closed else "no answer"] += 1
                if case.is_whole:
                    raise ValueError("no answer")
        except (ValueError, KeyError, IndexError) as fault:
            self.faults.append(f"{case}: {fault!r}: {received[:2000]!r}")

    def _ask_rightly(self, caller: Caller, request_id: str, counts: Counter[str]) -> None:
        """Pay, repeat, look and void: each is answered as it must be."""
        body = {
            "request_id": request_id, "merchant": "right-shop", "channel": "pos", "amount": 100,
            "currency": "EUR", "account": 4711, "card": {"token": request_id, "expiry": "9912"},
        }  # fmt: skip
        paid = caller.ask("POST", PAYMENTS, body, PATIENT)
        again = caller.ask("POST", PAYMENTS, body, PATIENT)
        path = f"{PAYMENTS}/{paid.reply.get('payment')}"
        seen = caller.ask("GET", path)
        give_up = time.monotonic() + ANSWER_S
        while seen.status == BUSY_STATUS and time.monotonic() < give_up:  # what it shows is not durable yet
            seen = caller.ask("GET", path)
        voided = caller.ask("POST", f"{path}/void", {"request_id": "v"}, PATIENT)
        counts["right"] += 4
        if (
            (paid.status, paid.code, paid.reply.get("state")) != (200, "OK", "open")
            or again.reply != {**paid.reply, "replayed": True}
            or (seen.status, seen.reply.get("held")) != (200, 100)
            or (voided.status, voided.code, voided.reply.get("state")) != (200, "OK", "voided")
        ):
            self.faults.append(f"wrong answers in between: {paid} {again} {seen} {voided}")


def require_right(response: Response, is_head: bool) -> None:
    """Raise ValueError, or KeyError, where a response is not what a door may say."""
    if response.status in NEVER:
        raise ValueError(f"status {response.status}")
    if response.status in BODILESS or (is_head and not response.body):
        return
    content = response.headers["content-type"]
    document = response.document
    if content == PROBLEM:
        if (document["status"], bool(document["title"] and document["reason"])) != (response.status, True):
            raise ValueError("no problem document")
    elif content != JSON or not isinstance(document, dict):
        raise ValueError(f"a body of {content}")
    elif response.status != 200 and "code" not in document:
        raise ValueError("no code")


def play(folder: Path, seed: int, cases_max: int, seconds_max: float) -> Fuzzing:
    """Start an instance within a folder, fuzz it, stop it, and leave nothing."""
    running = RunningPayments(folder / "data", *write_settings(folder, SET_UP), "--lean")
    try:
        fuzzing = Fuzzing(running, seed)
        fuzzing.run(cases_max, seconds_max)
        if running.stop() != 0:
            fuzzing.faults.append(running.errors.read_text())
        return fuzzing
    finally:
        running.clean_up()


class Fuzzed(Protocol):
    """What a fuzzing has counted, and what it has found."""

    counts: Counter[str]
    faults: list[str]


def told(play: Callable[[Path, int, int, float], Fuzzed], text: str, arguments: Sequence[str] | None) -> int:
    """Fuzz as long as the command line says; print counts and faults."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        fuzzing = play(Path(folder), args.seed, 10**9, args.seconds)
    for name, count in sorted(fuzzing.counts.items()):
        print(f"{name:24}{count:12,}")
    print("\n".join(fuzzing.faults) or "no faults")
    return bool(fuzzing.faults)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the door over HTTP."""
    return told(play, __doc__ or "", arguments)


if __name__ == "__main__":
    raise SystemExit(main())
