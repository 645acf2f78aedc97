"""How trading is started: two doors, its demo, and its instruments and accounts as commands."""

from pathlib import Path

from engine.settings.demo_key import demo_token
from engine.trading import demo
from engine.trading.records import Role
from engine.trading.settings import TradingKeySettings
from pinion.cli.starting import Door, Starting
from pinion.cli.trading.definitions import definitions, missing
from pinion.cli.trading.first_rules import first_rules


def _demo_keys(data_dir: Path) -> tuple[TradingKeySettings, ...]:
    return demo.demo_keys(demo_token(data_dir))


STARTING = Starting(
    demo=demo.demo,
    demo_keys=_demo_keys,
    roles=Role,
    doors=(
        Door(
            name="http",
            section="orders",
            option="--order-port",
            purpose="order entry",
            module="gateways.http.serve",
        ),
        Door(
            name="api",
            section="api",
            option="--api-port",
            purpose="queries and streams",
            module="api.serve",
            has_ring=False,
        ),
    ),
    pages="api",
    definitions=definitions,
    missing=missing,
    set_up=first_rules,
)
