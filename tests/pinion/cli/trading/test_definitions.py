"""Rates and limits of the configuration: as commands, what a state lacks of them, what is refused."""

from typing import Any

import numpy as np
import pytest

from engine.runtime.supervision.endings import StartError
from engine.settings.config import ConfigError, parse
from engine.trading.event_forms import SPREAD
from engine.trading.fields import ACCOUNT_LIMITS_HALVES, AccountLimit
from engine.trading.kernels.state import new_state
from engine.trading.offline.kernels import apply_unnumbered
from engine.trading.records import COMMAND, EventKind, Op, Reason, Role
from engine.trading.settings import TradingSettings
from engine.trading.view.live_view import LiveView
from gateways.json_lines import CommandEncoder
from pinion.cli.trading.definitions import Configured, definitions, missing
from ringbuf.kernel import COMPILED
from tests.capacities import SMALL

BASE = """
[[currencies]]
currency = "USD"
decimals = 2
[[currencies]]
currency = "EUR"
decimals = 2
[[instruments]]
symbol = "XYZ"
base = "XYZ"
quote = "EUR"
tick_size = "0.01"
lot_size = "1"
[[accounts]]
account = 1
deposit = { USD = "1000", EUR = "1000" }
[[accounts]]
account = 2
deposit = { USD = "1000" }
"""
RATES = """
[[rates]]
currency = "EUR"
in = "USD"
price = "1.08"
"""
LOSSES = """
[[limits]]
account = 1
max_daily_loss = "50.00"
max_drawdown = 80
max_drawdown_bps = 900
max_fill_rate = "5"
fill_window_ms = 2000
"""
OTHERS = """
[[limits]]
account = 1
max_open_orders = 10
max_position = "20"
order_rate = 5
order_burst = 9
modify_rate = 3
modify_burst = 4
max_gross_exposure = "900.5"
max_concentration_ppm = 400000
max_order_trade_ratio = 30
order_trade_window_ms = 9000
[[limits]]
symbol = "XYZ"
max_open_orders = 7
[[limits]]
max_open_orders = 11
"""
ALL = BASE + RATES + LOSSES + OTHERS


def settings(toml: str) -> TradingSettings:
    return parse(toml.encode(), TradingSettings)


def reason_of(state: Any, command: np.ndarray) -> Reason | None:
    """Apply one command; return why it is refused."""
    slots = apply_unnumbered(state if COMPILED else state.view(np.recarray), command, -1)
    event = SPREAD.events_of(state[0]["out"][:slots])[-1]
    return Reason(int(event["reason"])) if event["kind"] == EventKind.REJECTED else None


def applied(state: Any, lines: list[Configured]) -> list[Reason]:
    """Apply them as a start does; return the reasons of what was refused."""
    refused = []
    for each in lines:
        for command in each.commands:
            one = np.array([command], COMMAND)
            one["roles"] = Role.ALL
            refused.append(reason_of(state, one))
    return [reason for reason in refused if reason is not None]


def started(toml: str) -> Any:
    """Return the state behind the first start with a configuration."""
    state = new_state(SMALL)
    wanted = definitions(settings(toml))
    lines = missing(wanted, state)
    assert [each.fields for each in lines] == [each.fields for each in wanted]
    assert applied(state, lines) == []
    return state


def sent(state: Any, **fields: Any) -> None:
    command = np.zeros(1, COMMAND)
    CommandEncoder(LiveView(state).catalogue, roles=Role.ALL).encode(fields, command[0])
    assert reason_of(state, command) is None


def limits_of(state: Any, account: int) -> dict[str, int]:
    view = LiveView(state).account(account)
    assert view is not None
    return {each.name: each.limit for each in view.limits}


def test_every_limit_and_the_rate_hold_behind_the_first_start() -> None:
    state = started(ALL)

    limits = limits_of(state, 1)
    assert limits == {
        **{"max_open_orders": 10, "max_position": 20 * 10**9, "order_rate": 5, "order_burst": 9},
        **{"modify_rate": 3, "modify_burst": 4, "max_gross_exposure": 90_050},
        **{"max_concentration_ppm": 400_000, "max_daily_loss": 5_000, "max_drawdown": 8_000},
        **{"max_drawdown_bps": 900, "max_fill_rate": 5 * 10**9, "max_order_trade_ratio": 30},
    }
    windows = {"fill_window_ms", "order_trade_window_ms"}
    assert set(limits) | windows == {limit.name.lower() for limit in AccountLimit}
    assert limits_of(state, 2) == {"max_open_orders": 11}
    s = state[0]
    assert (int(s["rates"][1, 0]["price"]), int(s["books"][0]["max_open_orders"])) == (1_080_000_000, 8)
    assert int(s["watches"][0]["fill_bucket_ns"]) == 2_000_000_000 // 12


def test_a_second_start_sends_nothing() -> None:
    state = started(ALL)

    assert missing(definitions(settings(ALL)), state) == []


def test_a_limit_that_a_command_moved_stays_and_one_that_was_lifted_is_set_again() -> None:
    state = started(ALL)
    sent(state, op="limits", account=1, max_daily_loss="70", max_drawdown=None, order_rate=None)

    lines = missing(definitions(settings(ALL)), state)

    assert [each.fields for each in lines] == [
        {"op": "limits", "max_drawdown": 80, "account": 1},
        {"op": "limits", "order_rate": 5, "account": 1},
    ]
    assert applied(state, lines) == []
    limits = limits_of(state, 1)
    assert (limits["max_daily_loss"], limits["max_drawdown"], limits["order_rate"]) == (7_000, 8_000, 5)


def test_a_start_that_was_cut_short_between_account_and_limits_is_made_up_for() -> None:
    state = new_state(SMALL)
    wanted = definitions(settings(ALL))
    cut = next(place for place, each in enumerate(wanted) if each.setting == "limits[0]")
    assert applied(state, missing(wanted, state)[:cut]) == []
    assert limits_of(state, 1) == {}

    lines = missing(wanted, state)

    assert [each.setting for each in lines] == [f"limits[{idx}]" for idx in range(4)]
    assert applied(state, lines) == []
    assert len(limits_of(state, 1)) == 13


def test_limits_that_a_changed_configuration_adds_are_set_at_the_next_start() -> None:
    state = started(BASE + RATES)

    lines = missing(definitions(settings(ALL)), state)

    assert {each.fields["op"] for each in lines} == {"limits"}
    assert applied(state, lines) == []
    assert limits_of(state, 2) == {"max_open_orders": 11}


def test_currencies_that_come_before_the_known_ones_do_not_shift_what_is_added() -> None:
    state = started(BASE)
    changed = (
        '[[currencies]]\ncurrency = "GBP"\ndecimals = 2\n'
        + BASE
        + """
[[rates]]
currency = "GBP"
in = "USD"
price = "1.3"
[[instruments]]
symbol = "NEW"
base = "XYZ"
quote = "GBP"
tick_size = "0.01"
lot_size = "1"
"""
    )
    lines = missing(definitions(settings(changed)), state)

    assert [each.setting for each in lines] == ["currencies (GBP)", "rates[0]", "instruments[1]"]
    assert applied(state, lines) == []
    known = LiveView(state).catalogue
    assert known.instruments[1].quote.code == "GBP"
    gbp, usd = (known.currency_by_code[code].currency_idx for code in ("GBP", "USD"))
    assert (gbp, int(state[0]["rates"][gbp, usd]["price"])) == (3, 1_300_000_000)


def test_on_breach_goes_with_the_limits_that_are_sent() -> None:
    toml = BASE + RATES + LOSSES + 'on_breach = "warn"\n'
    state = started(toml)
    assert all(
        level == 1 for level in state[0]["watches"][0]["on_breach"][state[0]["watches"][0]["limit"] > 0]
    )
    sent(state, op="limits", account=1, max_drawdown=None)

    [line] = missing(definitions(settings(toml)), state)

    assert line.fields == {"op": "limits", "max_drawdown": 80, "account": 1, "on_breach": "warn"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "[[limits]]\naccount = 1\nmax_daily_los = 5",
            "limits[0].max_daily_los: unknown setting; did you mean",
        ),
        ("[[limits]]\naccount = 1", "limits[0]: limits nothing"),
        (
            "[[limits]]\naccount = 1\nfill_window_ms = 50",
            "limits[0].fill_window_ms = 50: is the window of max_fill_rate; give both in one [[limits]]",
        ),
        (
            "[[limits]]\naccount = 1\nmax_drawdown = 5\n[[limits]]\naccount = 1\nmax_drawdown = 6",
            "limits[1].max_drawdown = 6: given by limits[0] already",
        ),
        (
            "[[limits]]\naccount = 1\nmax_drawdown = '0.001'",
            "limits[0]: max_drawdown '0.001': must be a multiple",
        ),
        ("[[limits]]\naccount = 1\nmax_drawdown = 0", "limits[0]: max_drawdown 0: an amount above zero"),
        (
            "[[limits]]\naccount = 1\nmax_drawdown_bps = 10001",
            "limits[0]: max_drawdown_bps 10001: must be 1 to",
        ),
        ("[[limits]]\nmax_drawdown = 5", "limits[0]: max_drawdown 5: name the account"),
        ("[[limits]]\nsymbol = 'XYZ'\nmax_position = 5", "limits[0]: max_position"),
        (
            "[[limits]]\nsymbol = 'XYY'\nmax_open_orders = 5",
            "limits[0]: symbol 'XYY': unknown symbol; known: XYZ",
        ),
        (
            "[[limits]]\naccount = 1\nmax_drawdown = 5\non_breach = 'stop'",
            "limits[0]: on_breach 'stop'",
        ),
        ("[[limits]]\naccount = 1\norder_rate = 5\non_breach = 'warn'", "limits[0]: on_breach 'warn'"),
        (
            "[[accounts]]\naccount = 3\nreporting_currency = 'USX'",
            "accounts[2]: reporting_currency 'USX': no such currency",
        ),
        ("[[rates]]\ncurrency = 'EUR'\nprice = 1", "rates[0]: missing setting 'in'"),
        ("[[rates]]\ncurrency = 'EUX'\nin = 'USD'\nprice = 1", "rates[0]: currency 'EUX': no such currency"),
        ("[[rates]]\ncurrency = 'EUR'\nin = 'EUR'\nprice = 1", "rates[0]: in 'EUR': give another currency"),
        (
            "[[rates]]\ncurrency = 'EUR'\nin = 'USD'\nprice = 1\n" * 2,
            "rates[1].currency, in = ('EUR', 'USD'): already used by rates[0]",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name_value_and_mend(more: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        definitions(settings(BASE + more))

    assert said in str(refused.value)


def test_limits_in_money_without_a_rate_are_refused_by_the_engine_and_not_passed_over() -> None:
    state = new_state(SMALL)

    assert applied(state, missing(definitions(settings(BASE + LOSSES)), state)) == [Reason.NO_RATE]


def test_an_added_instrument_that_does_not_fit_what_is_defined_already_is_named() -> None:
    state = started(
        BASE.replace("decimals = 2", "decimals = 0", 1).replace('tick_size = "0.01"', 'tick_size = "1"')
    )
    added = (
        BASE
        + '[[instruments]]\nsymbol = "NEW"\nbase = "XYZ"\nquote = "USD"\ntick_size = "0.01"\nlot_size = "1"'
    )

    with pytest.raises(StartError, match=r"instruments\[1\]: tick_size '0.01': .*stays as it is"):
        missing(definitions(settings(added)), state)


def test_the_halves_of_a_record_name_every_limit() -> None:
    lines = definitions(settings(ALL))
    records = [each.commands[0] for each in lines if each.commands[0]["op"] == Op.ACCOUNT_LIMITS]

    named = [int(record[ACCOUNT_LIMITS_HALVES[0][0]]) & (2**32 - 1) for record in records[:2]]
    assert named[0] | named[1] == (1 << len(AccountLimit)) - 1
