"""Whoever asks how an instance is gets one answer: /readyz, /metrics, /v1/status, `pinion status`."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.system.running import Running, await_true

Start = Callable[..., Running]
Sample = tuple[str, str]


def asked(url: str, key: str = "") -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


class Answers:
    """What the instance says of itself on all sides."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._api = running.await_ready()["api"]

    def readyz(self) -> tuple[int, dict[str, Any]]:
        status, content_type, body = asked(f"{self._api}/readyz")
        assert content_type == ("application/json" if status == 200 else "application/problem+json")
        return status, json.loads(body)

    def is_ready(self) -> bool:
        return self.readyz()[0] == 200

    def is_well(self) -> bool:
        """Whether nothing is missing, not even what nobody waits for."""
        return self.readyz() == (200, {"status": "ready", "troubles": []})

    def missing(self) -> set[str]:
        """Return the processes that do not run."""
        return {each["process"] for each in self.readyz()[1]["troubles"] if each["reason"] == "not_running"}

    def metrics(self) -> dict[Sample, float]:
        """Return value by (name, value of the one label)."""
        _, _, body = asked(f"{self._api}/metrics")
        return {
            (sample.name, next(iter(sample.labels.values()), "")): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if len(sample.labels) < 2
        }

    def status(self) -> dict[str, Any]:
        return json.loads(asked(f"{self._api}/v1/status", self._running.key)[2])

    def command(self, *options: str) -> str:
        arguments = ["status", "--data", str(self._running.data_dir), *options]
        return subprocess.run(
            [sys.executable, "-m", "pinion.cli.main", *arguments], capture_output=True, text=True, check=True
        ).stdout


def blocking(troubles: list[dict[str, Any]]) -> set[tuple[str, str | None]]:
    return {(each["reason"], each["process"]) for each in troubles if each["blocks"]}


def test_nothing_is_silent_that_has_just_begun(shared: Running) -> None:
    answers = Answers(shared)

    told = [each["detail"] for each in answers.readyz()[1]["troubles"]]

    assert not any("no sign of life yet" in detail for detail in told), told


@pytest.mark.parametrize("process", ["journaler", "worker"])
def test_a_process_that_stands_still_makes_it_unready_until_it_goes_on(shared: Running, process: str) -> None:
    answers, pid = Answers(shared), shared.pid_of(process)
    await_true(answers.is_ready, "it is ready at first")
    assert answers.metrics()["pinion_ready", ""] == 1

    os.kill(pid, signal.SIGSTOP)
    await_true(lambda: not answers.is_ready(), f"the {process} is missed")
    status, problem = answers.readyz()
    metrics = answers.metrics()
    document = answers.status()
    shown = json.loads(answers.command("--json"))
    text = answers.command()
    healthy = asked(f"{answers._api}/healthz")[0]
    os.kill(pid, signal.SIGCONT)

    assert (status, problem["reason"], problem["status"]) == (503, "not_ready", 503)
    assert f"{process} (pid {pid}) gave no sign of life for" in problem["detail"]
    assert ("silent", process) in blocking(problem["troubles"])
    assert metrics["pinion_ready", ""] == 0
    assert metrics["pinion_heartbeat_age_seconds", process] > 3
    assert metrics["pinion_process_up", process] == 1
    for told in (document, shown):
        assert not told["ready"]
        assert ("silent", process) in blocking(told["troubles"])
    assert f"NOT READY: {process} (pid {pid}) gave no sign of life" in text
    assert healthy == 200, "the api process answers all the while"
    await_true(answers.is_ready, "it is ready again")


def test_a_dead_worker_makes_it_unready_until_another_has_rebuilt_the_state(start: Start) -> None:
    running = start()
    answers = Answers(running)
    await_true(answers.is_ready, "it is ready at first")
    worker, supervisor = running.pid_of("worker"), running.process.pid

    os.kill(supervisor, signal.SIGSTOP)  # nobody starts it again for now
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: not answers.is_ready(), "the worker is missed")
    _, problem = answers.readyz()
    metrics = answers.metrics()
    os.kill(supervisor, signal.SIGCONT)

    assert ("not_running", "worker") in blocking(problem["troubles"])
    assert f"worker (pid {worker}) does not run" in problem["detail"]
    assert (metrics["pinion_ready", ""], metrics["pinion_process_up", "worker"]) == (0, 0)
    await_true(lambda: running.pid_of("worker") != worker and answers.is_ready(), "it is ready again")
    metrics = answers.metrics()
    assert metrics["pinion_process_endings_total", "worker"] == 1
    assert metrics["pinion_restarts_total", "supervisor"] == 1
    for told in (answers.status(), json.loads(answers.command("--json"))):
        [ending] = told["endings"]
        assert (ending["process"], ending["pid"], ending["count"]) == ("worker", worker, 1)
        assert ending["cause"].startswith("died of SIGKILL: by somebody, or by the kernel")
    text = answers.command()
    assert f"s ago: worker (pid {worker}) died of SIGKILL" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("worker ")]
    assert [row[1] for row in rows] == [str(running.pid_of("worker"))], (
        "one row a process, as README reads it"
    )
    assert f"worker (pid {worker}) ended: died of SIGKILL" in running.errors.read_text()
    assert running.stop() == 0


def test_processes_that_nobody_waits_for_do_not_make_it_unready(shared: Running) -> None:
    answers = Answers(shared)
    await_true(answers.is_well, "all is well at first")
    supervisor = shared.process.pid

    os.kill(supervisor, signal.SIGSTOP)
    for process in ("shadow", "history", "database"):
        os.kill(shared.pid_of(process), signal.SIGKILL)
    await_true(lambda: answers.missing() == {"shadow", "history", "database"}, "all three are missed")
    status, document = answers.readyz()
    os.kill(supervisor, signal.SIGCONT)

    assert (status, document["status"]) == (200, "ready")
    await_true(answers.is_well, "all is well again")


def test_metrics_name_every_latch_alarm_and_heartbeat(shared: Running) -> None:
    answers = Answers(shared)
    await_true(answers.is_well, "all is well at first")

    metrics = answers.metrics()

    assert {label for name, label in metrics if name == "pinion_latched"} == {
        "disk",
        "full",
        "poison",
        "gone",
    }
    assert {label for name, label in metrics if name == "pinion_alarm"} == {
        "clock_jumped", "shadow_diverged", "shadow_stopped",
    }  # fmt: skip
    assert (
        sum(value for (name, _), value in metrics.items() if name in ("pinion_latched", "pinion_alarm")) == 0
    )
    beating = {label for name, label in metrics if name == "pinion_heartbeat_age_seconds"}
    assert {"supervisor", "worker", "journaler", "shadow", "http", "api"} <= beating
    assert metrics["pinion_stalled_seconds", ""] < 3
    assert metrics["pinion_durable_lag", ""] >= 0
