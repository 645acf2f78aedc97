"""The files of the library as tests use them: each rule asked compiled and as plain Python at once."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from engine.rules.compiled import CompiledSet, compile_set, defaults_of
from engine.rules.language.source import UserRule, read
from engine.trading.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from engine.trading.rules.words import symbol
from ringbuf.kernel_cache import ROOT

FOLDER = ROOT / "engine/trading/rules/library"
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
ORDER = {
    **{"account": 1, "instrument": 0, "symbol": symbol("BTC-USD"), "is_replace": 0, "side": 1, "type": 1},
    **{"time_in_force": 1, "post_only": 0, "px": 1000, "qty": 10, "leaves": 10, "notional": 10_000},
    **{"more": 10, "old_px": 0, "ts_ms": 1_700_000_000_000, "scale": 1},
}
"""A limit buy on a Tuesday, 22:13:20 UTC."""
BESIDE = dict.fromkeys(CONTEXT, 0) | {"max_open_orders": -1, "max_position": -1, "order_rate": -1}
BESIDE |= {"loss_age_ms": -1}


def path_of(name: str) -> Path:
    """Return where a rule of the library lies."""
    return FOLDER / f"{name}.py"


@cache
def made(name: str) -> CompiledSet:
    """Return a rule of the library as a set of its own."""
    return compile_set(read(path_of(name).read_text(), VOCABULARY, f"{name}.py"))


def rule(name: str) -> UserRule:
    """Return a rule of the library."""
    (only,) = made(name).rules
    return only


def refuses(name: str, order: dict[str, int], ctx: dict[str, int], **params: int) -> bool:
    """Tell whether a rule refuses an order; what is not named is that of ORDER, of BESIDE, of the rule."""
    asked, beside = ORDER | order, BESIDE | ctx
    assert asked.keys() == FIELDS.keys()
    assert beside.keys() == CONTEXT.keys()
    own = dict(rule(name).params) | params
    plain = rule(name).plain(SimpleNamespace(**asked), SimpleNamespace(**beside), SimpleNamespace(**own))
    words = defaults_of(made(name).rules)
    words[: len(own)] = list(own.values())
    p, beside_it = (
        np.array([each[word] for word in of], np.int64) for each, of in ((asked, FIELDS), (beside, CONTEXT))
    )
    compiled = made(name).call(p, beside_it, words)
    assert compiled == plain, (name, order, ctx, params)
    return bool(plain)
