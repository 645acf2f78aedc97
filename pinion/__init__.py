"""The public Python interface of Pinion: records, simulation, sizing and ports into a running instance.

import numpy as np, pinion
events = pinion.simulate(commands)              # offline, a COMMAND array in, EVENTs out
with pinion.claim_spare(data_dir) as gate:      # into a running instance
    gate.submit(commands); gate.drain()

Each name is loaded when it is first used: who asks for the version, or for help, loads no kernel.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.contract.instance import PortError as PortError
    from engine.contract.port import EventReader as EventReader
    from engine.contract.port import Port as Port
    from engine.contract.port import attach_state as attach_state
    from engine.contract.port import claim_spare as claim_spare
    from engine.payments.rules.words import AUTHORISE as AUTHORISE
    from engine.payments.rules.words import CREDIT as CREDIT
    from engine.payments.rules.words import DEBIT as DEBIT
    from engine.payments.rules.words import DECLINE as DECLINE
    from engine.payments.rules.words import ECOM as ECOM
    from engine.payments.rules.words import MATCH as MATCH
    from engine.payments.rules.words import MISMATCH as MISMATCH
    from engine.payments.rules.words import MOTO as MOTO
    from engine.payments.rules.words import NONE as NONE
    from engine.payments.rules.words import NOT_GIVEN as NOT_GIVEN
    from engine.payments.rules.words import PARTIAL as PARTIAL
    from engine.payments.rules.words import POS as POS
    from engine.payments.rules.words import PREPAID as PREPAID
    from engine.payments.rules.words import RECURRING as RECURRING
    from engine.payments.rules.words import REVIEW as REVIEW
    from engine.payments.rules.words import SALE as SALE
    from engine.payments.rules.words import STEP_UP as STEP_UP
    from engine.payments.rules.words import country as country
    from engine.payments.rules.words import currency as currency
    from engine.rules.mark import rule as rule
    from engine.trading.capacities import Capacities as Capacities
    from engine.trading.instruments import Catalogue as Catalogue
    from engine.trading.instruments import Currency as Currency
    from engine.trading.offline.rules import offer_rules as offer_rules
    from engine.trading.offline.simulate import simulate as simulate
    from engine.trading.records import COMMAND as COMMAND
    from engine.trading.records import EVENT as EVENT
    from engine.trading.records import CommandFlag as CommandFlag
    from engine.trading.records import EventFlag as EventFlag
    from engine.trading.records import EventKind as EventKind
    from engine.trading.records import Op as Op
    from engine.trading.records import OrderType as OrderType
    from engine.trading.records import Phase as Phase
    from engine.trading.records import Reason as Reason
    from engine.trading.records import Role as Role
    from engine.trading.records import SelfTradePrevention as SelfTradePrevention
    from engine.trading.records import Side as Side
    from engine.trading.records import SizingMethod as SizingMethod
    from engine.trading.records import Status as Status
    from engine.trading.records import TimeInForce as TimeInForce
    from engine.trading.rules.words import BUY as BUY
    from engine.trading.rules.words import DAY as DAY
    from engine.trading.rules.words import FOK as FOK
    from engine.trading.rules.words import GTC as GTC
    from engine.trading.rules.words import IOC as IOC
    from engine.trading.rules.words import LIMIT as LIMIT
    from engine.trading.rules.words import MARKET as MARKET
    from engine.trading.rules.words import SELL as SELL
    from engine.trading.rules.words import symbol as symbol
    from engine.trading.view.live_view import LiveView as LiveView
    from gateways.json_lines.commands import CommandEncoder as CommandEncoder
    from pinion import sizing as sizing

    __version__: str

_MODULES = {
    "engine.contract.instance": ("PortError",),
    "engine.contract.port": ("EventReader", "Port", "attach_state", "claim_spare"),
    "engine.payments.rules.words": (
        *(
            "AUTHORISE",
            "CREDIT",
            "DEBIT",
            "DECLINE",
            "ECOM",
            "MATCH",
            "MISMATCH",
            "MOTO",
            "NONE",
            "NOT_GIVEN",
        ),
        *("PARTIAL", "POS", "PREPAID", "RECURRING", "REVIEW", "SALE", "STEP_UP"),
        *("country", "currency"),
    ),
    "engine.rules.mark": ("rule",),
    "engine.trading.capacities": ("Capacities",),
    "engine.trading.instruments": ("Catalogue", "Currency"),
    "engine.trading.offline.rules": ("offer_rules",),
    "engine.trading.offline.simulate": ("simulate",),
    "engine.trading.records": (
        *("COMMAND", "EVENT", "CommandFlag", "EventFlag", "EventKind", "Op", "OrderType", "Phase"),
        *("Reason", "Role", "SelfTradePrevention", "Side", "SizingMethod", "Status", "TimeInForce"),
    ),
    "engine.trading.rules.words": ("BUY", "DAY", "FOK", "GTC", "IOC", "LIMIT", "MARKET", "SELL", "symbol"),
    "engine.trading.view.live_view": ("LiveView",),
    "gateways.json_lines.commands": ("CommandEncoder",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
_SUBMODULES = ("sizing",)

__all__ = ["__version__", *_MODULE_OF, *_SUBMODULES]  # names of _MODULES, each said once


def __getattr__(name: str) -> Any:
    """Load what is asked for, and keep it."""
    if name == "__version__":
        value: Any = version("pinion")
    elif name in _MODULE_OF:
        value = getattr(import_module(_MODULE_OF[name]), name)
    elif name in _SUBMODULES:
        value = import_module(f"pinion.{name}")
    else:
        raise AttributeError(f"module 'pinion' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__doc__", "__file__", "__name__", "__path__"])
