"""A real instance gets other capacities: stop, migrate, start with the new configuration, go on."""

import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.contract.port import EventReader
from pinion.cli.main import main
from tests.capacities import SMALL_ENGINE
from tests.system.running import Running, await_true
from tests.system.test_archive import caught_up
from tests.system.test_up import order, post

CONFIG = """
[engine]
{small}

[[keys]]
name = "demo"
token = "{token}"
roles = ["trader", "operator", "viewer"]
accounts = "all"
"""


def seen(running: Running) -> dict[str, int]:
    """Return what the counters of shadow and history say."""
    with EventReader.attach(running.data_dir) as reader:
        counters = reader.counters()
        return {name: int(counters[name]) for name in ("shadow.differences", "shadow.seq", "history.seq")}


def test_orders_outlive_a_migration_and_everything_follows(
    start: Callable[..., Running], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = start()
    ready = first.await_ready()
    bought = post(first, "/v1/orders", order(1), ready["orders"])
    await_true(lambda: caught_up(first), "history reaches what is durable")
    file = tmp_path / "other.toml"
    file.write_text(CONFIG.format(small=SMALL_ENGINE, token=first.key))
    migrate = ["journal", "migrate", str(first.data_dir), "--config", str(file)]
    assert main(migrate) == 1, "it runs"
    assert first.stop() == 0
    refused = start("--config", str(file))
    assert refused.process.wait(60) == 2
    assert f"pinion journal migrate {first.data_dir}" in refused.errors.read_text()

    assert main(migrate) == 0
    second = start("--config", str(file))
    ready = second.await_ready()
    again = rejected(second, order(1), ready["orders"])
    sold = post(second, "/v1/orders", order(2, "sell"), ready["orders"])
    await_true(lambda: caught_up(second), "history goes on")
    counted = seen(second)
    assert second.stop() == 0
    third = start("--config", str(file))
    ready = third.await_ready()
    resold = rejected(third, order(2, "sell"), ready["orders"])
    assert third.stop() == 0

    assert again == resold == "duplicate"
    assert (sold["status"], sold["fills"][0]["price"]) == ("filled", "100")
    assert bought["order_id"] < sold["order_id"]
    assert counted["shadow.differences"] == 0
    assert main(["journal", "verify", str(third.data_dir)]) == 0
    assert main(["replay", str(third.data_dir), "--events", str(tmp_path / "events")]) == 0
    assert '"event":"trade"' in (tmp_path / "events").read_text()
    assert "orders         262,144 -> 512" in capsys.readouterr().out


def rejected(running: Running, body: dict[str, Any], url: str) -> str:
    """Send an order that is refused; return the reason."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        post(running, "/v1/orders", body, url)
    text = refusal.value.read().decode()
    refusal.value.close()
    return next((word for word in ("duplicate",) if word in text), text)
