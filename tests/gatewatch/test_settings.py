"""Settings: precedence, errors that name setting, value and what is allowed, and the way to a child process."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.settings import BadSetting, Settings, entries, environment_of, load


def test_flags_come_before_environment_before_file_before_own_defaults(tmp_path: Path) -> None:
    file = tmp_path / "gatewatch.toml"
    file.write_text('capture_window_s = 30\nmetrics_period_s = 30\napi_port = 9000\nregion = "eu-west-1"\n')
    settings = load(
        {"capture_window_s": "10", "region": None},
        {"GATEWATCH_CAPTURE_WINDOW_S": "20", "GATEWATCH_METRICS_PERIOD_S": "20", "UNRELATED": "1"},
        file,
        {"api_port": 1, "console_port": 2},
    )
    assert (settings.capture_window_s, settings.metrics_period_s, settings.api_port) == (10, 20, 9000)
    assert (settings.region, settings.console_port, settings.bus) == ("eu-west-1", 2, "embedded")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("capture_window_s", "0", "1 to 600 seconds"),
        ("capture_window_s", "ten", "1 to 600 seconds"),
        ("datapath", "xdp", "portable or scapy"),
        ("bus", "amqp://x", "`embedded`, or `kafka://host:port`"),
        ("account_id", "12", "12 digits"),
        ("log_level", "loud", "debug or info or warning or error"),
    ],
)
def test_a_bad_value_names_setting_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load({name: value}, {})
    message = str(caught.value)
    assert name in message
    assert repr(value) in message
    assert allowed in message


def test_an_unknown_name_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gatewatch.toml"
    file.write_text("capture_windw_s = 10\n")
    with pytest.raises(BadSetting, match="no setting named 'capture_windw_s'"):
        load({}, {}, file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"), (b"a = = 1", "is not TOML"), (b"# B\xfcro", "is not TOML"),
        (b"a = " + b"9" * 5_000, "is not TOML"), (b"a = " + b"[" * 20_000, "is not TOML"),
    ],
    ids=["none", "syntax", "latin-1", "digits", "depth"],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "gatewatch.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadSetting, match=message):
        load({}, {}, file)


@given(window=st.integers(1, 600), port=st.integers(1, 65_535), kafka=st.booleans())
def test_a_child_process_gets_the_same_settings(window: int, port: int, kafka: bool) -> None:
    settings = Settings(capture_window_s=window, api_port=port, bus="kafka://a:1,b:2" if kafka else "embedded")
    assert load({}, environment_of(settings)) == settings


def test_a_childs_settings_do_not_depend_on_what_it_inherits() -> None:
    inherited = {"GATEWATCH_API_PORT": "1"}
    assert load({}, {**inherited, **environment_of(Settings())}) == Settings()


def test_every_setting_has_help_and_every_number_a_limit() -> None:
    for entry in entries():
        assert entry.help, entry.name
        assert entry.type is str or " to " in entry.allowed, f"{entry.name} has no limit"


def test_a_number_with_a_unit_says_it_in_its_name() -> None:
    units = {"seconds": "_s", "bytes": "_bytes", "MB": "_mb"}
    for entry in entries():
        suffix = units.get(entry.unit)
        assert suffix is None or suffix in f"{entry.name}_", entry.name


def test_a_service_is_offered_what_it_reads() -> None:
    names = {entry.name for entry in entries("ingest")}
    assert {"data", "bus", "ingest_poll_s"} <= names
    assert "api_port" not in names
