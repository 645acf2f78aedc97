"""Settings: what is taken, what is refused, and whether the refusal helps."""

import json
from enum import IntFlag
from pathlib import Path
from typing import Any, ClassVar

import pytest

from engine.settings.config import (
    ConfigError,
    InstanceSettings,
    KeySettings,
    door_keys,
    load,
    parse,
    with_ports,
)
from engine.settings.demo_key import demo_token
from engine.settings.door_settings import SocketSettings
from engine.trading.demo import demo
from engine.trading.records import Role
from engine.trading.settings import CapacitySettings, TradingSettings
from pinion.cli.trading.definitions import definitions

TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[engine]\nbatchs = 3", "engine.batchs: unknown setting; did you mean 'batch'?"),
        (
            "[engine.capacities]\norder = 3",
            "engine.capacities.order: unknown setting; did you mean 'orders'?",
        ),
        (
            "[[instruments]]\ntick_sise = 1",
            "instruments[0].tick_sise: unknown setting; did you mean 'tick_size'?",
        ),
        ("[engine]\nbatch = 0", "engine.batch = 0: expected 'int' >= 1"),
        (
            "[engine]\nwait = 'busy'",
            "engine.wait = 'busy': invalid enum value 'busy'; there are 'spin', 'backoff', 'block'",
        ),
        ("[engine]\ncpu = 'all'", "engine.cpu = 'all': invalid enum value 'all'; there are 'auto', 'none'"),
        (
            f"[[keys]]\nname = 'a'\ntoken = '{TOKEN}'\nroles = ['trade']",
            "roles[0] = 'trade': invalid enum value 'trade'; there are 'trader', 'operator', 'viewer'",
        ),
        ("[engine]\ncommand_ring = 1000", "must be a power of two; use 512 or 1024"),
        ("[engine]\nevent_ring = 512", "engine.event_ring = 512: the worker needs 1024 at least"),
        ("[engine]\nbatch = 4096\njournal_ring = 64", "must hold a batch of 4096"),
        ("[api]\nport = 8001", "orders.port = 8001: the same as api.port"),
        ("[api]\nport = 70000", "api.port = 70000: expected 'int' <= 65535"),
        ("[[accounts]]\naccount = 7\n[[accounts]]\naccount = 7", "accounts[1].account = 7: already used"),
        ("[[instruments]]\nsymbol = 'A'", "instruments[0]: missing setting 'base'"),
        ("[engine\n", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_value_and_mend(toml: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(toml.encode(), TradingSettings)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    "size", ["0.01", "1e-2", "true", "nan", "[1]", '"1_0"', '" 1"', '"+1"', '"1e-2"', '"1."', '"１"', '""']
)
def test_a_tick_size_has_the_grammar_of_all_numbers(size: str) -> None:
    toml = f"""
    [[instruments]]
    symbol = "A"
    base = "A"
    quote = "USD"
    tick_size = {size}
    lot_size = "1"
    """

    with pytest.raises(ConfigError, match=r"instruments\[0\].*tick_size"):
        definitions(parse(toml.encode(), TradingSettings))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (b"[api]\nport = 1\nport = 2", "not valid TOML"),
        (b"[api]\n[api]", "not valid TOML"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "nested too deep"),
        (b"\xef\xbb\xbf[api]", "not valid TOML"),
        (b"\xff[api]", "not valid TOML"),
        (b"[api]\0", "not valid TOML"),
    ],
)
def test_what_is_no_toml_is_told(toml: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(toml, TradingSettings)


def test_a_token_is_never_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(b"[[keys]]\nname = 'a'\ntoken = 'secret'", TradingSettings)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (TOKEN + " ", "white space at an end"),
        (" " + TOKEN, "white space at an end"),
        (TOKEN + "\n", "white space at an end"),
        ("\u00a0" + TOKEN, "white space at an end"),
        ("a-token\r\nof-some-length", r"'\r' as character 8"),
        ("a-token\tof-some-length", r"'\t' as character 8"),
        ("a-token\0of-some-length", r"'\x00' as character 8"),
        ("a-token-of-some-\x7flength", r"'\x7f' as character 17"),
        ("a-token-of-some-\x85length", r"'\x85' as character 17"),
    ],
)
def test_a_token_that_no_request_can_carry_is_refused_by_name(token: str, said: str) -> None:
    toml = f"[[keys]]\nname = 'a'\ntoken = '{TOKEN}'\n[[keys]]\nname = 'b'\ntoken = {json.dumps(token)}"

    with pytest.raises(ConfigError) as refused:
        parse(toml.encode(), TradingSettings)

    assert f"keys[1].token = (not shown): has {said}, which no request can carry; give" in str(refused.value)
    assert "of-some" not in str(refused.value)


@pytest.mark.parametrize(
    "token", ["a token of some length", "ein-schl\u00fcssel-von-uns", "!#$%&'*+-.^_`|~/=:,"]
)
def test_a_token_of_printable_characters_is_taken(token: str) -> None:
    settings = parse(f"[[keys]]\nname = 'a'\ntoken = {json.dumps(token)}".encode(), TradingSettings)

    assert [each.token for each in door_keys(settings.keys, Role)] == [token]


@pytest.mark.parametrize("content", ["demo-a-key\tof-some-length", "demo-a-key\nand-another-one", "demo", ""])
def test_a_demo_key_that_no_request_can_carry_is_refused_with_its_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "demo.key"
    path.write_text(content + "\n")

    with pytest.raises(ConfigError, match=f"{path}: holds no key; remove the file and start again"):
        demo_token(tmp_path)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load(tmp_path / "missing.toml", TradingSettings)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "pinion.toml"
    path.write_text("")

    settings = load(path, TradingSettings)

    assert (settings.api.port, settings.orders.port) == (8000, 8001)
    assert settings.engine.wait == "block"


def test_demo_has_three_instruments_ten_accounts_and_one_key_with_every_role() -> None:
    settings = demo(TOKEN)

    assert [each.symbol for each in settings.instruments] == ["BTC-USD", "ETH-USD", "AAPL"]
    assert [each.account for each in settings.accounts] == list(range(1, 11))
    key = door_keys(settings.keys, Role)[0]
    assert key.roles == Role.ALL
    assert key.accounts is None


def test_a_key_allows_its_accounts_only() -> None:
    settings = parse(f"[[keys]]\nname = 'a'\ntoken = '{TOKEN}'\naccounts = [3]".encode(), TradingSettings)

    key = door_keys(settings.keys, Role)[0]

    assert key.accounts == (3,)
    assert key.roles == Role.TRADER


def test_an_application_has_names_of_its_own_for_roles() -> None:
    class Role(IntFlag):
        PAYER = 1
        OPERATOR = 2

    key = KeySettings(name="a", token=TOKEN, roles=("payer", "operator"))

    assert door_keys((key,), Role)[0].roles == 3


def test_demo_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = demo_token(tmp_path)

    assert demo_token(tmp_path) == first
    assert (tmp_path / "demo.key").stat().st_mode & 0o777 == 0o600


def test_ports_of_the_command_line_replace_those_of_the_sections() -> None:
    settings = with_ports(demo(TOKEN), {"api": 8001, "orders": 0})

    assert (settings.api.port, settings.orders.port) == (8001, 0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[api]\nhosts = ["ok.example", "a b"]', r"api\.hosts\[1\] = 'a b'"),
        ('[orders]\nhosts = ["http://x"]', r"orders\.hosts\[0\]"),
        ('[orders]\norigins = ["x.example"]', r"orders\.origins\[0\] = 'x\.example'"),
        ('[api]\norigins = ["https://x.example/page"]', r"api\.origins\[0\]"),
        ("[doors]\nconnections = 0", r"doors\.connections = 0"),
        ("[doors]\nhead_timeout_s = 0", r"doors\.head_timeout_s = 0"),
        ("[doors]\nkeyless = 1", "doors.keyless: unknown setting; did you mean 'keyless_streams'"),
    ],
)
def test_settings_of_the_doors_are_checked(text: Any, named: Any) -> None:
    with pytest.raises(ConfigError, match=named):
        parse(text.encode(), TradingSettings)


def test_hosts_and_origins_are_taken_as_given() -> None:
    settings = parse(
        b'[api]\nhosts = ["a.example:8443", "::1", "*"]\norigins = ["https://b.example"]', TradingSettings
    )

    assert settings.api.hosts == ("a.example:8443", "::1", "*")
    assert settings.api.origins == ("https://b.example",)
    assert (settings.orders.hosts, settings.api.port, settings.orders.port) == ((), 8000, 8001)


class ElsewhereDoor(SocketSettings, frozen=True, kw_only=True):
    """[elsewhere]"""

    capacities: CapacitySettings = CapacitySettings()


class ElsewhereSettings(InstanceSettings, frozen=True, kw_only=True):
    """Settings of an application whose capacities stand in a section of its own."""

    elsewhere: ElsewhereDoor = ElsewhereDoor()
    capacities_at: ClassVar[str] = "elsewhere.capacities"


def test_capacities_are_found_where_the_application_has_them() -> None:
    trading = parse(b"[engine.capacities]\norders = 64", TradingSettings)
    elsewhere = parse(b"[elsewhere.capacities]\norders = 128", ElsewhereSettings)

    assert trading.capacities == CapacitySettings(orders=64)
    assert elsewhere.capacities == CapacitySettings(orders=128)


def test_capacities_in_the_engines_section_are_told_where_they_belong() -> None:
    with pytest.raises(
        ConfigError, match=r"engine\.capacities: unknown setting; they stand in \[elsewhere\.capacities\]"
    ):
        parse(b"[engine.capacities]\norders = 64", ElsewhereSettings)


def test_a_key_of_an_application_may_be_for_some_names_only() -> None:
    class Scoped(KeySettings, frozen=True, kw_only=True):
        shops: tuple[str, ...] = ()

        @property
        def scope(self) -> tuple[str, ...] | None:
            return self.shops or None

    given: dict[str, Any] = {"name": "k", "token": "t" * 16, "roles": ("trader",)}
    keys = door_keys((Scoped(shops=("m1",), **given), Scoped(**given), KeySettings(**given)), Role)

    assert [each.scope for each in keys] == [("m1",), None, None]
