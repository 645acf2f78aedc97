"""Settings of a fleet: what is taken, what is refused, and that no password is shown."""

import pytest

from engine.payments.fleet_records import OnStoreDown
from engine.payments.fleet_settings import FleetSettings
from engine.payments.settings import PaymentsSettings
from engine.settings.config import ConfigError, parse


def parsed(text: str) -> FleetSettings:
    """Return the section of a file."""
    fleet = parse(f"[payments.fleet]\n{text}".encode(), PaymentsSettings).payments.fleet
    assert fleet is not None
    return fleet


def test_without_the_section_there_is_no_fleet() -> None:
    assert parse(b"", PaymentsSettings).payments.fleet is None


def test_the_defaults_are_one_instance_with_a_private_store_and_its_own_share() -> None:
    fleet = parsed("")

    assert (fleet.url, fleet.instances, fleet.name, fleet.on_daily) == ("", 1, "fleet", OnStoreDown.LOCAL)


@pytest.mark.parametrize(
    "url",
    [
        *("redis://10.0.0.1", "redis://:secret@store.example:6380/2", "rediss://user:secret@[::1]:6379"),
        *("unix:///run/store.sock", "unix:///run/store.sock?db=1"),
    ],
)
def test_addresses_of_stores_are_taken(url: str) -> None:
    assert parsed(f"url = '{url}'").url == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://:hush@store", "begins with none of redis://, rediss://, unix://"),
        ("store:6379", "begins with none of"),
        ("redis://:hush@", "names no host"),
        ("redis://:hush@store:99999", "has no port that could be"),
        ("unix://hush", "names no path"),
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(f"url = '{url}'")

    assert f"payments.fleet.url = (not shown): {said}" in str(refused.value)
    assert "give redis://HOST:PORT" in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instances = 0", "payments.fleet.instances = 0"),
        ("instances = 65", "payments.fleet.instances = 65"),
        ("name = 'A b'", "payments.fleet.name = 'A b': give 1 to 16 of a-z, 0-9 and -"),
        ("on_store_down = 'wait'", "payments.fleet.on_store_down = 'wait'"),
        ("instance = 2", "payments.fleet.instance: unknown setting; did you mean 'instances'?"),
        ("[payments.fleet.limits]\nmerchant_dayly = 'allow'", "did you mean 'merchant_daily'?"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_value(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(text)

    assert said in str(refused.value)


def test_one_limit_may_be_told_another_word_than_all() -> None:
    both = parsed("on_store_down = 'allow'\n[payments.fleet.limits]\nmerchant_daily = 'decline'")

    assert both.on_daily == OnStoreDown.DECLINE
    assert parsed("on_store_down = 'allow'").on_daily == OnStoreDown.ALLOW


def test_each_limit_on_distinct_cards_may_be_told_a_word_of_its_own() -> None:
    limits = "[payments.fleet.limits]\nip_cards_1h = 'decline'\nemail_cards_24h = 'allow'"

    assert parsed(limits).on_sightings == (OnStoreDown.LOCAL, OnStoreDown.DECLINE, OnStoreDown.ALLOW)
    assert parsed("on_store_down = 'allow'").on_sightings == (OnStoreDown.ALLOW,) * 3
    with pytest.raises(ConfigError, match=r"payments\.fleet\.limits\.device_cards_24h = 'wait'"):
        parsed("[payments.fleet.limits]\ndevice_cards_24h = 'wait'")
