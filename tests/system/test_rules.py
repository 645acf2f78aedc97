"""Rules on a live instance: they live through kill -9 and restarts, are taken back, and are replayed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.rules.stored import FOLDER
from tests.system.running import Running, await_true
from tests.system.test_kill_switch import ask

Start = Callable[..., Running]
ORDER = {"account": 1, "symbol": "BTC-USD", "side": "buy", "price": "100", "quantity": "0.0005"}
CLIPS = """\
from pinion import rule


@rule("max_clip", reason="MAX_CLIP", params={"max": MOST})
def max_clip(order, ctx, params):
    return order.qty > params.max
"""
FAULTY = CLIPS.replace("order.qty > params.max", "order.qty // (ctx.open_orders - ctx.open_orders) > 1")


def clips(most: int) -> dict[str, str]:
    return {"clips.py": CLIPS.replace("MOST", str(most))}


def about(running: Running, act: str, **more: Any) -> dict[str, Any]:
    status, said = ask(running, "orders", "/v1/admin", {"op": "rules", "act": act, **more})
    assert status == 200, said
    return said["events"][0] if said["events"] else said


def tried(running: Running, lots: int) -> Any:
    """Enter an order of so many lots (0.0001); return what refused it, None where nothing did."""
    fields = ORDER | {"quantity": f"{lots / 10_000:.4f}"}
    status, document = ask(running, "orders", "/v1/orders", fields)
    if status == 200:
        return None
    assert (status, document["reason"]) == (422, "rule"), document
    return document["rule"], document["rule_reason"], document["rule_fault"]


def is_back(running: Running) -> bool:
    return ask(running, "orders", "/v1/orders", ORDER | {"quantity": "0.0001"})[0] == 200


def killed(running: Running) -> None:
    worker = running.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    await_true(lambda: running.pid_of("worker") != worker, "a new worker")
    await_true(lambda: is_back(running), "the worker serves")


def pinion(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pinion", *words], capture_output=True, text=True, check=False, timeout=300
    )


def test_rules_live_through_deaths_and_restarts_and_are_taken_back(start: Start, tmp_path: Path) -> None:
    running = start()
    running.await_ready()

    # Three sets come one after the other, and the worker dies in between.
    first = about(running, "register", files=clips(5), why="small clips")
    assert (first["act"], first["set"], len(first["source"])) == ("registered", 1, 32)
    assert tried(running, 6) is None
    assert about(running, "activate", source=first["source"])["before"] is None
    assert tried(running, 5) is None
    assert tried(running, 6) == ("max_clip", "MAX_CLIP", False)
    killed(running)
    assert tried(running, 6) == ("max_clip", "MAX_CLIP", False)
    second = about(running, "register", files=clips(7))
    assert about(running, "activate", source=second["source"])["before"] == 1
    assert tried(running, 6) is None
    killed(running)
    assert tried(running, 8) == ("max_clip", "MAX_CLIP", False)
    third = about(running, "register", files={"faulty.py": FAULTY.replace("MOST", "1")})
    about(running, "activate", source=third["source"])
    assert tried(running, 1) == ("max_clip", "MAX_CLIP", True)
    assert about(running, "rollback")["set"] == 2
    about(running, "param", rule="max_clip", param="max", value=1, account=2)
    killed(running)
    assert tried(running, 7) is None
    assert tried(running, 8) == ("max_clip", "MAX_CLIP", False)

    # What the api tells of it.
    status, told = ask(running, "api", "/v1/rules")
    assert (status, told["governing"], told["before"]) == (200, 2, 3)
    assert [each["state"] for each in told["sets"]] == ["registered", "governing", "registered"]
    assert told["sets"][0]["why"] == "small clips"
    assert told["sets"][2]["rules"] == [{"rule": "max_clip", "reason": "MAX_CLIP", "refused": 0, "faults": 1}]
    assert running.stop() == 0

    # A replay from the first command runs each set where it ran then, and comes to the same.
    data = running.data_dir
    events = tmp_path / "events.jsonl"
    replayed = pinion("replay", str(data), "--events", str(events), "--stats")
    assert replayed.returncode == 0, replayed.stderr
    assert events.read_text().count('"rule":"max_clip"') >= 5
    verified = pinion("journal", "verify", str(data))
    assert verified.returncode == 0, verified.stdout + verified.stderr

    running = start()
    running.await_ready()
    await_true(lambda: is_back(running), "a new start serves")
    assert tried(running, 8) == ("max_clip", "MAX_CLIP", False)
    assert about(running, "activate", source=None)["before"] == 2
    assert tried(running, 8) is None
    assert running.stop() == 0

    # A source that is missing stops the start, which names its file.
    missing = data / FOLDER / f"{second['source']}.json"
    missing.unlink()
    running = start()
    assert running.process.wait(120) != 0
    assert str(missing) in running.errors.read_text()


def test_what_is_no_rule_is_refused_at_the_door_by_line_and_mend(start: Start) -> None:
    running = start()
    running.await_ready()

    refused = {
        "while order.qty > 0: pass": "a rule cannot have while",
        "return order.qty / 2 > 5": "a rule cannot have `/`",
        "return open(1)": "calls open",
        "return order.qty * order.qty > 5": "can leave 64 bits",
        "import os": "a rule cannot have an import",
    }
    for line, told in refused.items():
        text = CLIPS.replace("MOST", "1").replace("return order.qty > params.max", line)
        status, document = ask(
            running, "orders", "/v1/admin", {"op": "rules", "act": "register", "files": {"bad.py": text}}
        )
        assert (status, document["field"]) == (400, "max_clip"), document
        assert "bad.py:6: rule max_clip: " in document["detail"]
        assert told in document["detail"]
    status, document = ask(
        running, "orders", "/v1/admin", {"op": "rules", "act": "register", "source": "ab" * 16}
    )
    assert (status, document["field"]) == (400, "source")
    status, document = ask(
        running, "orders", "/v1/admin", {"op": "rules", "act": "activate", "source": "ab" * 16}
    )
    assert (status, document["reason"]) == (422, "unknown_rules")
    status, document = ask(running, "orders", "/v1/admin", {"op": "rules", "act": "canary"})
    assert (status, document["reason"]) == (422, "unsupported")
    assert is_back(running)
    assert running.stop() == 0
