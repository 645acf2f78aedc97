"""Limits and rates of the configuration hold from the first start on, and what it adds from the next one."""

from collections.abc import Callable
from pathlib import Path

from tests.system.running import Running
from tests.system.test_kill_switch import ask

Start = Callable[..., Running]
TOKEN = "k" * 32
FIRST = f"""
[[keys]]
name = "desk"
token = "{TOKEN}"
roles = ["trader", "operator", "viewer"]
accounts = "all"
[[currencies]]
currency = "USD"
decimals = 2
[[currencies]]
currency = "EUR"
decimals = 2
[[rates]]
currency = "EUR"
in = "USD"
price = "1.08"
[[instruments]]
symbol = "XYZ"
base = "XYZ"
quote = "USD"
tick_size = "0.01"
lot_size = "1"
[[accounts]]
account = 1
deposit = {{ USD = "1000", EUR = "100" }}
[[limits]]
account = 1
max_open_orders = 1
max_daily_loss = "50"
on_breach = "warn"
"""
ADDED = """
[[limits]]
account = 1
max_drawdown = "80"
"""
WRONG = """
[[limits]]
account = 9
max_open_orders = 1
"""
ORDER = {"account": 1, "symbol": "XYZ", "side": "buy", "price": "1", "quantity": "1"}


def test_configured_limits_hold_behind_every_start(start: Start, tmp_path: Path) -> None:
    data_dir, config = tmp_path / "data", tmp_path / "pinion.toml"
    data_dir.mkdir()
    (data_dir / "demo.key").write_text(TOKEN)  # what the questions below are asked with
    config.write_text(FIRST)
    running = start("--config", str(config))
    running.await_ready()
    account = ask(running, "api", "/v1/accounts/1")[1]
    assert account["limits"]["max_daily_loss"]["on_breach"] == "warn"
    assert (account["losses"]["equity"], account["losses"]["day_start"]) == ("1108", "1108")
    assert ask(running, "orders", "/v1/orders", ORDER)[0] == 200
    status, refused = ask(running, "orders", "/v1/orders", ORDER)
    assert (status, refused["reason"]) == (422, "max_open_orders")
    lowered = {"op": "limits", "account": 1, "max_daily_loss": "40"}
    assert ask(running, "orders", "/v1/admin", lowered)[0] == 200
    assert running.stop() == 0

    config.write_text(FIRST + ADDED)
    running = start("--config", str(config))
    running.await_ready()
    limits = ask(running, "api", "/v1/accounts/1")[1]["limits"]
    assert limits["max_daily_loss"]["limit"] == "40"
    assert limits["max_drawdown"] == {
        **{"limit": "80", "measured": "0", "allowed": "80", "distance": "80"},
        "on_breach": "cancel_and_block",
    }
    assert running.stop() == 0

    config.write_text(FIRST + WRONG)
    running = start("--config", str(config))
    assert running.process.wait(60) == 1
    assert "limits[1]: refused by the engine, UNKNOWN_ACCOUNT; correct it" in running.errors.read_text()
