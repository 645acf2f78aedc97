"""The documented mixes are what the generator makes, and the engine agrees with its model."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.trading.capacities import Capacities
from engine.trading.kernels.state import NIL, new_state
from engine.trading.offline.simulate import run_all
from engine.trading.records import EventKind, Op, OrderType, SelfTradePrevention, TimeInForce
from perf.flow.commands import DEPOSITS, set_up_commands
from perf.flow.generate import Flow, generate
from perf.flow.mixes import EXCHANGE_CORE, LAST_TRADE, LIMITED, MIXES, NASDAQ, POWER_LAW, POWER_LAW_100, Mix

COUNT = 100_000
TRADING_SHARE = {EXCHANGE_CORE.name: 0.06, POWER_LAW.name: 0.11, POWER_LAW_100.name: 0.11, NASDAQ.name: 0.04}
"""Share of commands that trade, as perf/README.md states it."""


@pytest.fixture(scope="module", params=MIXES, ids=lambda mix: mix.name)
def flow(request: pytest.FixtureRequest) -> Flow:
    return generate(request.param, seed=7, count=COUNT)


def share(flow: Flow, op: Op) -> float:
    return float(np.mean(flow.measured["op"] == op))


def test_shares_of_commands_are_those_of_the_mix(flow: Flow) -> None:
    mix = flow.mix

    assert share(flow, Op.NEW) == pytest.approx((mix.new_share + mix.aggressive_share) / 1000, abs=0.006)
    assert share(flow, Op.CANCEL) == pytest.approx(mix.cancel_share / 1000, abs=0.006)
    assert share(flow, Op.REPLACE) == pytest.approx(mix.replace_share / 1000, abs=0.006)
    assert flow.aggressive_count / COUNT == pytest.approx(mix.aggressive_share / 1000, abs=0.003)


def test_share_of_commands_that_trade_is_as_documented(flow: Flow) -> None:
    trading = flow.trading_commands / COUNT

    assert trading == pytest.approx(TRADING_SHARE[flow.mix.name], abs=0.01)


def test_number_of_live_orders_stays_level(flow: Flow) -> None:
    assert flow.live_count == pytest.approx(flow.mix.live_orders, rel=0.08)


def test_every_order_carries_a_client_id_and_default_prevention(flow: Flow) -> None:
    new = flow.measured[flow.measured["op"] == Op.NEW]

    assert np.all(new["client_order_id"] > 0)
    assert len(np.unique(new["client_order_id"])) == len(new)
    assert np.all(new["stp_mode"] == SelfTradePrevention.CANCEL_NEWEST)


def test_the_engine_ends_where_the_model_ended(flow: Flow) -> None:
    state = new_state(Capacities())  # whose kernels are compiled anyway

    events = run_all(state, flow.commands)

    first_seq = flow.first + 1
    measured = events[events["seq"] >= first_seq]
    assert np.count_nonzero(measured["kind"] == EventKind.TRADE) == flow.trade_count
    assert np.count_nonzero(measured["kind"] == EventKind.PREVENTED) == flow.prevented_count
    assert np.count_nonzero(events["kind"] == EventKind.REJECTED) == 0
    assert live_client_order_ids(state).tolist() == flow.live_client_order_ids.tolist()


def live_client_order_ids(state: np.ndarray) -> np.ndarray:
    """Return the client ids of all resting orders, found by walking every price level's queue."""
    s = state[0]
    found = []
    for level in s["levels"][: s["levels_used"]]:
        order = int(level["head"]) if level["order_count"] else NIL
        while order != NIL:
            found.append(int(s["cold"][order]["client_order_id"]))
            order = int(s["hot"][order]["next"])
    return np.sort(np.array(found))


def test_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    once = generate(EXCHANGE_CORE, seed=3, count=2_000)
    again = generate(EXCHANGE_CORE, seed=3, count=2_000)
    other = generate(EXCHANGE_CORE, seed=4, count=2_000)

    assert once.commands.tobytes() == again.commands.tobytes()
    assert once.commands.tobytes() != other.commands.tobytes()


def test_a_longer_flow_begins_with_the_shorter_one() -> None:
    short = generate(NASDAQ, seed=3, count=1_000)
    long = generate(NASDAQ, seed=3, count=2_000)

    assert long.commands[: len(short.commands)].tobytes() == short.commands.tobytes()


def test_exchange_core_mix_has_its_live_orders_on_about_750_prices() -> None:
    flow = generate(EXCHANGE_CORE, seed=7, count=COUNT)
    priced = flow.commands[flow.set_up :]
    priced = priced[((priced["op"] == Op.NEW) | (priced["op"] == Op.REPLACE)) & (priced["px"] > 0)]
    px = dict(zip(priced["client_order_id"].tolist(), priced["px"].tolist(), strict=True))

    slots = {px[each] for each in flow.live_client_order_ids.tolist()}

    assert len(slots) == pytest.approx(750, abs=75)


def test_half_of_the_aggressors_of_the_power_law_mixes_are_market_orders() -> None:
    flow = generate(POWER_LAW, seed=7, count=COUNT)
    aggressive = flow.measured[flow.measured["time_in_force"] == TimeInForce.IOC]

    assert np.mean(aggressive["order_type"] == OrderType.MARKET) == pytest.approx(0.5, abs=0.03)


def test_accounts_are_funded_and_the_venue_has_every_limit_set() -> None:
    commands = set_up_commands(2, 3)

    instrument = commands[commands["op"] == Op.INSTRUMENT][0]
    limits = commands[commands["op"] == Op.LIMITS][0]
    accounts = commands[commands["op"] == Op.ACCOUNT]
    assert all(
        instrument[name] > 0 for name in ("px", "qty", "display_qty", "stop_px", "expiry", "instrument")
    )
    assert all(limits[name] > 0 for name in ("px", "qty", "display_qty", "stop_px"))
    assert accounts["client_order_id"].tolist() == [DEPOSITS // 3] * 3
    assert accounts["flags"].tolist() == [0] * 3


def test_a_mix_whose_shares_do_not_sum_to_all_is_refused() -> None:
    with pytest.raises(ValueError, match="shares sum to 900"):
        Mix(
            name="x", summary="", symbol_count=1, live_orders=1, give=1,
            new_share=900, cancel_share=0, replace_share=0, aggressive_share=0,
        )  # fmt: skip


def test_generating_in_a_thread_leaves_the_gil_to_the_others() -> None:
    generate(POWER_LAW, count=1_000)  # compiled before it is timed
    turns = 0

    with ThreadPoolExecutor(1) as background:
        ahead = background.submit(generate, POWER_LAW, count=1_000_000)
        while not ahead.done():
            turns += 1
            time.sleep(0.0005)

    assert turns > 20


@pytest.mark.parametrize("mix", [*LIMITED, LAST_TRADE], ids=lambda mix: mix.name)
def test_every_account_has_every_limit_and_none_refuses(mix: Mix) -> None:
    flow = generate(mix, count=3000)
    state = new_state(Capacities())

    events = run_all(state, flow.commands[: flow.first + 3000])

    assert not np.any(events["kind"] == EventKind.REJECTED)
    assert not np.any(events["kind"] == EventKind.LATCHED)
    assert int(state[0]["watch_count"]) == mix.account_count
    marks = flow.measured[flow.measured["op"] == Op.MARK]
    assert len(marks) == (3 if mix.mark_every else 0)
