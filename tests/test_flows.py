"""The generators reach every kind of event and every reason a JSON line can get."""

from collections import Counter

from tests.flows import PREAMBLE, commands_of, run_flow
from tests.oracle import Exchange

EVENTS = {"accepted", "rejected", "trade", "cancelled", "replaced", "prevented", "phase", "latched", "moved"}
REJECTIONS = {
    *("unsupported", "unknown_account", "not_allowed_in_phase", "duplicate", "unknown_order"),
    *("invalid_time_in_force", "invalid_quantity", "invalid_price", "invalid_expiry", "invalid_field"),
    *("no_liquidity", "already_defined", "book_crossed", "rate_limit"),
    *("max_quantity", "max_notional", "price_band", "price_collar", "max_open_orders", "max_position"),
    *("insufficient_funds", "overflow", "post_only_would_cross", "fok_unfillable"),
    *("blocked", "not_latched", "still_breached", "no_rate"),
    *("max_gross_exposure", "max_concentration", "order_trade_ratio"),
    *("unknown_group", "in_another_group", "reporting_currency"),
}
REFUSED_BY_GROUPS = {
    *("blocked", "max_concentration", "max_gross_exposure", "max_open_orders", "max_position"),
    *("order_trade_ratio", "rate_limit"),
}
LATCHES_OF_GROUPS = {("kill", "cancel_and_block"), ("max_order_trade_ratio", "warn")} | {
    (limit, "cancel_and_block")
    for limit in ("max_daily_loss", "max_drawdown", "max_drawdown_bps", "max_fill_rate")
}
LATCHES = {("kill", "cancel_and_block"), ("kill", None), ("max_order_trade_ratio", "warn")} | {
    (limit, level)
    for limit in ("max_daily_loss", "max_drawdown", "max_drawdown_bps", "max_fill_rate")
    for level in ("warn", "cancel_and_block", None)
}
REFUSED_AT_DOOR = {
    *("unknown_symbol", "off_tick", "off_lot", "out_of_range", "invalid_field", "invalid_client_order_id"),
    "unknown_currency",
}
CANCELLATIONS = {
    *("user", "mass", "ioc_remainder", "market_remainder", "stp", "day", "amend_below_filled", "band"),
    *("latch", "admin"),
}
MOVEMENTS = ("deposit", "withdraw", "transfer")
REFUSED_MOVEMENTS = {(op, reason) for op in MOVEMENTS for reason in ("duplicate", "no_rate")} | {
    *(("deposit", "overflow"), ("withdraw", "insufficient_funds"), ("transfer", "insufficient_funds")),
    ("transfer", "unknown_account"),
}
SEEDS = (1, 2, 3)
GROUP_SEEDS = range(1, 9)
MONEY_SEEDS = range(1, 13)
COMMANDS = 8_000


def test_flows_reach_every_event_and_every_reason() -> None:
    events: Counter[str] = Counter()
    latches: set[tuple[str, str | None]] = set()
    reasons: Counter[tuple[str, str, bool]] = Counter()

    for seed in SEEDS:
        for made in run_flow(seed, COMMANDS)[2]:
            events.update(event["event"] for event in made)
            latches |= {(each["limit"], each["level"]) for each in made if each["event"] == "latched"}
            reasons.update(
                (event["event"], event["reason"], event["seq"] is not None)
                for event in made
                if "reason" in event
            )

    assert set(events) == EVENTS
    assert latches == LATCHES
    assert {reason for kind, reason, seq in reasons if kind == "rejected" and seq} == REJECTIONS
    assert {reason for kind, reason, seq in reasons if kind == "rejected" and not seq} == REFUSED_AT_DOOR
    assert {reason for kind, reason, _ in reasons if kind == "cancelled"} == CANCELLATIONS


def test_flows_move_money_in_and_out_and_repeat_it() -> None:
    moved: Counter[tuple[str, bool]] = Counter()
    refused: set[tuple[str, str]] = set()

    for seed in MONEY_SEEDS:
        for each in (event for made in run_flow(seed, COMMANDS)[2] for event in made):
            if each["event"] == "moved":
                moved[each["op"], "fees" in (each.get("from"), each.get("to"))] += 1
            elif each["event"] == "rejected" and each["op"] in MOVEMENTS:
                refused.add((each["op"], each["reason"]))

    assert min(moved.values()) > 20
    assert set(moved) == {(op, False) for op in MOVEMENTS} | {("transfer", True)}
    assert refused >= REFUSED_MOVEMENTS


def test_flows_trade_prevent_and_replace_often_enough_to_matter() -> None:
    events = Counter(event["event"] for made in run_flow(2, COMMANDS)[2] for event in made)

    assert events["trade"] > COMMANDS // 20
    assert events["replaced"] > COMMANDS // 20
    assert events["prevented"] > COMMANDS // 100
    assert events["accepted"] > events["rejected"]


def test_flows_size_orders_by_every_method() -> None:
    outcomes: dict[str, set[str]] = {}
    for seed in MONEY_SEEDS:
        _, commands, events = run_flow(seed, COMMANDS)
        for command, made in zip(commands, events, strict=True):
            if "size_by" in command:
                method = command["size_by"]["method"]
                told = {str(event.get("reason", event["event"])) for event in made}
                outcomes.setdefault(method, set()).update(told)

    of_all = set.intersection(*outcomes.values())
    assert set(outcomes) == {"fixed_risk", "fixed_notional", "vol_target", "kelly"}
    assert of_all >= {"accepted", "trade", "invalid_quantity", "no_rate", "blocked", "fok_unfillable"}
    assert "invalid_field" in outcomes["fixed_risk"]


def test_the_same_seed_gives_the_same_stream() -> None:
    first, second = commands_of(7, 500), commands_of(7, 500)

    assert first == second
    assert first != commands_of(8, 500)


def test_the_preamble_is_accepted_without_an_event() -> None:
    exchange = Exchange()

    assert [exchange.submit(command) for command in PREAMBLE] == [[] for _ in PREAMBLE]


def test_flows_reach_what_groups_refuse_and_latch_and_prevent() -> None:
    refused: set[str] = set()
    latched: set[tuple[str, str | None]] = set()
    prevented_apart = 0

    for seed in GROUP_SEEDS:
        for made in run_flow(seed, COMMANDS)[2]:
            of_groups = [event for event in made if "group" in event]
            refused |= {each["reason"] for each in of_groups if each.get("op") in ("new", "replace")}
            latched |= {(each["limit"], each["level"]) for each in of_groups if each["event"] == "latched"}
            prevented_apart += sum(
                event["maker_account"] != event["taker_account"]
                for event in made
                if event["event"] == "prevented"
            )

    assert refused >= REFUSED_BY_GROUPS
    assert latched >= LATCHES_OF_GROUPS
    assert prevented_apart > 50
