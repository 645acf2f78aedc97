"""Settings of payments: what is taken, what is refused, and whether the refusal helps."""

from dataclasses import asdict
from typing import Any

import msgspec
import pytest

from engine.payments.capacities import Capacities
from engine.payments.records import LIMITS, NOT_GIVEN, RULES, Clock
from engine.payments.settings import (
    CapacitySettings,
    Iso8583Section,
    PaymentsSettings,
    PeerSettings,
    RateSettings,
    RuleSettings,
    peer_address,
)
from engine.settings.config import ConfigError, parse, socket_of, with_ports

KEY = "[[keys]]\nname = 'shop'\ntoken = 'a-token-of-some-length'\n"
ORDER = list(RULES)


PEER = "[[payments.iso8583.peers]]\naddress = '{}'\nkey = '{}'\n"


def iso8583(more: str = "", address: str = "192.0.2.7", key: str = "shop") -> str:
    """Return a file with a door for ISO 8583 and one peer."""
    return f"{KEY}[payments.iso8583]\n{more}\n{PEER.format(address, key)}"


def rules(order: list[str]) -> str:
    """Return a file with this order of the rules."""
    return f"[payments.rules]\norder = {order!r}"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[payments]\ninstance = 'A'", "payments.instance = 'A': give 1 to 8 of a-z and 0-9"),
        ("[payments]\ninstance = ''", "payments.instance = ''"),
        ("[payments]\ninstance = 'toolongname'", "payments.instance = 'toolongname'"),
        ('[payments]\ninstance = "a\\n"', r"payments.instance = 'a\n'"),
        ("[payments]\nclock = 'wall'", "payments.clock = 'wall': invalid enum value 'wall'; there are"),
        ("[payments.rules]\ncard_2m = 3", "payments.rules.card_2m: unknown setting; did you mean 'card_1m'?"),
        ("[payments.rules]\ncard_1m = -1", "payments.rules.card_1m = -1: expected 'int' >= 0"),
        ("[payments.rules]\ncard_1m = 'of'", "card_1m = 'of': invalid enum value 'of'; there are 'off'"),
        ("[payments.rules]\ndevice_cards_24h = 32", "device_cards_24h = 32: expected 'int' <= 31"),
        ("[payments.rules]\nscore_review = 1001", "score_review = 1001: expected 'int' <= 1000"),
        (rules(ORDER[1:]), "must begin with idempotency, merchant_active, account_status; put them first"),
        (rules(ORDER[:-1]), "must end with balance; put it last"),
        (rules([*ORDER[:3], "cvv", "cvv", "balance"]), "order[4] = 'cvv': already stands at 3; name it once"),
        (rules([*ORDER[:3], "hotlist", "balance"]), "no such rule; did you mean 'hot_list'?"),
        (rules([]), "must begin with idempotency"),
        (
            "[engine.capacities]\ncards = 64",
            "engine.capacities: unknown setting; they stand in [payments.capacities]",
        ),
        ("[payments.capacities]\ncrads = 64", "crads: unknown setting; did you mean 'cards'?"),
        (
            KEY + "roles = ['trader']",
            "roles[0] = 'trader': invalid enum value 'trader'; there are 'acquirer',",
        ),
        (KEY + "merchants = ['m 1']", "keys (shop).merchants[0] = 'm 1': no name of a merchant"),
        (KEY + "accounts = [1]", "keys (shop).accounts: a key of payments is for merchants"),
        ("[api]\nport = 8002", "api.port = 8002: the same as payments.port"),
        (iso8583("port = 8002"), "payments.iso8583.port = 8002: the same as payments.port"),
        ("[payments.iso8583]\nport = 1", "payments.iso8583: missing setting 'peers'"),
        ("[payments.iso8583]\npeers = []", "payments.iso8583.peers: expected 'array' of length >= 1"),
        (iso8583("hosts = ['a']"), "payments.iso8583.hosts: is for doors over HTTP; leave it out"),
        (iso8583("origins = ['*']"), "payments.iso8583.origins: is for doors over HTTP; leave it out"),
        (iso8583(address="shop"), "peers[0].address = 'shop': no address; give one of version 4 or 6"),
        (iso8583(address="10.0.0.0/8"), "peers[0].address = '10.0.0.0/8': no address"),
        (iso8583(key="shops"), "peers[0].key = 'shops': no key has this name; there are 'shop'"),
        (iso8583() + PEER.format("::ffff:192.0.2.7", "shop"), "already used by payments.iso8583.peers[0]"),
        ("[payments.rate]\nper_second = 5", "payments.rate: missing setting 'burst'"),
        ("[payments.rate]\nper_second = 0\nburst = 1", "payments.rate.per_second = 0: expected 'int' >= 1"),
        (
            "[payments.concurrency]\nper_kye = 5",
            "concurrency.per_kye: unknown setting; did you mean 'per_key'?",
        ),
        (
            "[payments.shedding]\nmax_in_flight = 4",
            "payments.shedding.max_in_flight = 4: expected 'int' >= 5",
        ),
        (iso8583("prot = 1"), "payments.iso8583.prot: unknown setting; did you mean 'port'?"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_value_and_mend(toml: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(toml.encode(), PaymentsSettings)

    assert said in str(refused.value)


def test_without_a_file_every_limit_has_the_default_of_its_rule() -> None:
    settings = PaymentsSettings()

    assert settings.payments.rules.limits() == LIMITS
    assert settings.payments.rules.order == RULES
    assert list(settings.payments.rules.limits()) == list(LIMITS)


def test_the_limits_of_a_file_reach_the_rules_and_off_is_none() -> None:
    given = parse(b"[payments.rules]\ncard_1m = 7\ncard_1h = 'off'\nbin_declines_1h = 0", PaymentsSettings)

    limits = given.payments.rules.limits()

    assert limits == {**LIMITS, "card_1m": 7, "card_1h": NOT_GIVEN, "bin_declines_1h": 0}


def test_a_rule_may_be_moved_and_left_out() -> None:
    order = [*RULES[:3], "cvv", "hot_list", "balance"]

    assert list(parse(rules(order).encode(), PaymentsSettings).payments.rules.order) == order


@pytest.mark.parametrize(("word", "clock"), [("engine", Clock.ENGINE), ("request", Clock.REQUEST)])
def test_the_clock_has_the_number_of_the_records(word: str, clock: Clock) -> None:
    settings = parse(f"[payments]\nclock = '{word}'".encode(), PaymentsSettings)

    assert settings.payments.clock_number is clock


def test_capacities_are_those_of_the_state() -> None:
    settings = parse(b"[payments.capacities]\ncards = 64", PaymentsSettings)

    assert settings.capacities == CapacitySettings(cards=64)
    assert CapacitySettings(cards=64).sizes() == Capacities(cards=64)
    assert msgspec.structs.asdict(CapacitySettings()) == asdict(Capacities())


@pytest.mark.parametrize(
    ("given", "scope"),
    [("", None), ("merchants = 'all'", None), ("merchants = ['m1', 'm2']", ("m1", "m2"))],
)
def test_a_key_is_for_every_merchant_or_for_those_it_names(given: str, scope: Any) -> None:
    (key,) = parse((KEY + given).encode(), PaymentsSettings).keys

    assert key.scope == scope
    assert key.roles == ("acquirer",)


def test_a_client_is_limited_by_nothing_unless_its_section_is_there() -> None:
    bare = PaymentsSettings().payments
    given = parse(b"[payments.rate]\nper_second = 200\nburst = 50", PaymentsSettings).payments

    assert (bare.rate, bare.concurrency, bare.shedding) == (None, None, None)
    assert given.rate == RateSettings(per_second=200, burst=50, log_only=False)


def test_ports_are_apart_from_each_other() -> None:
    settings = parse(iso8583().encode(), PaymentsSettings)

    assert (settings.payments.port, settings.api.port) == (8002, 8003)
    assert settings.payments.iso8583 is not None
    assert settings.payments.iso8583.port == 8583


def test_without_its_section_there_is_no_door_for_iso8583() -> None:
    assert PaymentsSettings().payments.iso8583 is None
    assert socket_of(PaymentsSettings(), "payments.iso8583") is None
    with pytest.raises(ConfigError, match=r"payments.iso8583.port = 9: the configuration has no such door"):
        with_ports(PaymentsSettings(), {"payments.iso8583": 9})


def test_the_port_of_a_section_within_another_is_set_alone() -> None:
    settings = parse(iso8583("idle_timeout_s = 9").encode(), PaymentsSettings)

    changed = with_ports(settings, {"payments.iso8583": 9, "payments": 10})

    found = socket_of(changed, "payments.iso8583")
    assert isinstance(found, Iso8583Section)
    assert (found.port, changed.payments.port, changed.api.port) == (9, 10, 8003)
    assert (found.idle_timeout_s, found.peers) == (9.0, (PeerSettings(address="192.0.2.7", key="shop"),))


def test_without_keys_a_peer_may_have_that_of_the_demo() -> None:
    text = iso8583(key="demo").removeprefix(KEY)

    assert parse(text.encode(), PaymentsSettings).payments.iso8583 is not None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("x", None),
    ],
)
def test_an_address_is_compared_in_one_way(text: str, address: str | None) -> None:
    assert peer_address(text) == address


def test_rules_have_a_setting_for_every_limit_and_no_other() -> None:
    assert set(RuleSettings.__struct_fields__) == {*LIMITS, "order"}
