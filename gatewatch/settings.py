"""The one table of settings: name, default, limits, unit and help, from which flags, environment and docs are made.

A setting's value is taken from the command line, else from the environment (`GATEWATCH_<NAME>`), else from the file
named by `--config` (TOML), else from the default here.  A bad value names the setting, what was given and what is
allowed, and nothing starts.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from gatewatch.refusal import Refusal

ENVIRONMENT_PREFIX = "GATEWATCH_"

#: Which services read a setting; `all` stands for every one.
ALL = ("all",)


def _about(description: str, *services: str, unit: str = "", allowed: str = "", **limits: Any) -> Meta:
    return Meta(
        description=description, extra={"services": services or ALL, "unit": unit, "allowed": allowed}, **limits
    )


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting of every service.  Units are in the names; `docs/reference/settings.md` is made from this class."""

    # Where things are
    data: Annotated[str, _about("folder that holds state, spool, lake and manifest", unit="path")] = "./gatewatch-data"
    inventory: Annotated[
        str, _about("network inventory (TOML); empty: DATA/inventory.toml", "api", "forwarder", "console", unit="path")
    ] = ""
    account_id: Annotated[
        str, _about("AWS account id shown in ARNs and records", allowed="12 digits", pattern=r"^\d{12}$")
    ] = "123456789012"
    region: Annotated[
        str,
        _about(
            "region shown in ARNs and records",
            allowed="a region such as us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        ),
    ] = "us-east-1"

    # Bus
    bus: Annotated[
        str,
        _about(
            "what carries the records",
            allowed="`embedded`, or `kafka://host:port`, brokers separated by commas",
            pattern=r"^(embedded|kafka://[^/\s]+)$",
        ),
    ] = "embedded"
    kafka_partitions: Annotated[int, _about("partitions of topics that gatewatch creates", ge=1, le=256)] = 4
    kafka_replicas: Annotated[int, _about("replication factor of topics that gatewatch creates", ge=1, le=9)] = 1
    message_bytes_max: Annotated[
        int, _about("largest message put on the bus", unit="bytes", ge=4_096, le=1_048_576)
    ] = 65_536
    spool_bytes_max: Annotated[
        int,
        _about(
            "spool size of one service; past it the oldest messages are given up and counted",
            unit="bytes", ge=1_048_576, le=1 << 40,
        ),
    ] = 1 << 30
    spool_keep_s: Annotated[
        int, _about("how long the spool keeps what every consumer has acknowledged", unit="seconds", ge=0, le=604_800)
    ] = 600

    # API
    api_host: Annotated[str, _about("address the AWS API listens on", "api")] = "127.0.0.1"
    api_port: Annotated[int, _about("port the AWS API listens on", "api", ge=1, le=65_535)] = 8060
    api_credentials: Annotated[
        str,
        _about(
            "who may call (form of ~/.aws/credentials, a section a user); empty: any well-formed signature is taken",
            "api", unit="path",
        ),
    ] = ""
    api_body_bytes_max: Annotated[int, _about("largest request body", "api", unit="bytes", ge=4_096, le=16_777_216)] = (
        262_144
    )
    api_requests_max: Annotated[
        int,
        _about(
            "connections at once; a new one takes the place of the oldest without a request, else it is told to come again",
            "api",
            unit="connections",
            ge=1,
            le=10_000,
        ),
    ] = 256
    api_client_requests_max: Annotated[
        int,
        _about("connections of one client address at once, likewise", "api", unit="connections", ge=1, le=10_000),
    ] = 64
    api_head_s: Annotated[
        float, _about("how long a client may take to send a request's head", "api", unit="seconds", ge=0.05, le=600)
    ] = 10.0
    audit_outbox_max: Annotated[
        int,
        _about(
            "audit events not yet on the bus; past it no call is taken, since none could be recorded",
            "api", unit="events", ge=10, le=10_000_000,
        ),
    ] = 100_000

    # Forwarder
    datapath: Annotated[Literal["portable", "scapy"], _about("data path", "forwarder")] = "portable"
    flows_max: Annotated[int, _about("flow table entries", "forwarder", unit="flows", ge=16, le=10_000_000)] = 200_000
    rejects_max: Annotated[
        int,
        _about(
            "refused flows told apart in one capture window; the rest become SKIPDATA",
            "forwarder", unit="flows", ge=16, le=1_000_000,
        ),
    ] = 20_000
    batch_packets_max: Annotated[
        int, _about("packets taken from a socket at once", "forwarder", unit="packets", ge=1, le=1024)
    ] = 64
    receive_buffer_bytes: Annotated[
        int, _about("socket receive buffer", "forwarder", unit="bytes", ge=65_536, le=1 << 30)
    ] = 32 << 20
    maglev_slots: Annotated[
        int, _about("size of the Maglev table, a prime", "forwarder", unit="slots", ge=7, le=65_537)
    ] = 16_381
    capture_window_s: Annotated[
        int, _about("capture window of flow records; AWS has 60 and 600", "forwarder", "console", unit="seconds", ge=1, le=600)
    ] = 60
    capture_rows_max: Annotated[
        int,
        _about(
            "rows of a capture window (a flow's direction or a refused flow each); with more it is handed over before its time",
            "forwarder", unit="rows", ge=100, le=4_000_000,
        ),
    ] = 20_000
    metrics_period_s: Annotated[
        int, _about("period of the AWS/GatewayELB metrics; AWS has 60", "forwarder", "console", unit="seconds", ge=1, le=60)
    ] = 60
    probe_threads_max: Annotated[
        int, _about("health probes under way at once", "forwarder", unit="probes", ge=1, le=256)
    ] = 32

    # Ingest
    ingest_poll_s: Annotated[
        float, _about("how long ingest waits for messages", "ingest", unit="seconds", ge=0.01, le=10)
    ] = 0.2
    ingest_batch_messages_max: Annotated[
        int, _about("messages written in one transaction", "ingest", unit="messages", ge=1, le=100_000)
    ] = 2_000
    ingest_batch_s: Annotated[
        float, _about("longest time a batch is held open", "ingest", unit="seconds", ge=0.05, le=60)
    ] = 0.5
    compact_files_min: Annotated[
        int, _about("small files of one hour that are merged into one", "ingest", unit="files", ge=2, le=10_000)
    ] = 64
    compact_quiet_s: Annotated[
        int,
        _about(
            "how long nothing was written for an hour before its last small files, however few, are merged",
            "ingest", unit="seconds", ge=60, le=604_800,
        ),
    ] = 1_800
    orphan_age_s: Annotated[
        int,
        _about("age at which a file unknown to the manifest is deleted", "ingest", unit="seconds", ge=60, le=604_800),
    ] = 900
    orphan_look_s: Annotated[
        int, _about("time between two searches for such files", "ingest", unit="seconds", ge=10, le=604_800)
    ] = 3_600
    dropped_file_keep_s: Annotated[
        int,
        _about(
            "how long a file stays on disk after compaction replaced it, for queries that are reading it",
            "ingest", unit="seconds", ge=1, le=604_800,
        ),
    ] = 600

    # Queries
    sql_time_s: Annotated[
        float, _about("longest run of a user's query", "console", "sql", unit="seconds", ge=0.1, le=3600)
    ] = 30.0
    sql_rows_max: Annotated[
        int, _about("most rows a user's query may return", "console", "sql", unit="rows", ge=1, le=1_000_000)
    ] = 10_000
    sql_memory_mb: Annotated[
        int, _about("memory of a user's query", "console", "sql", unit="MB", ge=64, le=1 << 20)
    ] = 1_024

    # Alarms
    alarms_file: Annotated[
        str, _about("alarms (TOML); empty: the default ones, on unhealthy targets and on conditions", "alarms", unit="path")
    ] = ""
    alarm_period_s: Annotated[
        int,
        _about(
            "period of the default alarms; AWS has 10, 20, 30 and multiples of 60",
            "alarms", unit="seconds", ge=1, le=86_400,
        ),
    ] = 60
    alarm_evaluation_s: Annotated[
        float, _about("time between two evaluations", "alarms", unit="seconds", ge=0.2, le=60)
    ] = 10.0
    alarm_arrival_s: Annotated[
        float,
        _about(
            "how long after its end a period's metrics may still arrive before the period counts as missing",
            "alarms", unit="seconds", ge=0, le=3600,
        ),
    ] = 30.0
    alarm_webhook: Annotated[
        str,
        _about(
            "URL that is told of each state change; empty: none",
            "alarms", allowed="an http or https URL", pattern=r"^(|https?://\S+)$",
        ),
    ] = ""
    webhook_time_s: Annotated[
        float, _about("time one webhook attempt may take", "alarms", unit="seconds", ge=0.1, le=60)
    ] = 5.0
    webhook_attempts_max: Annotated[
        int, _about("attempts to deliver one notification", "alarms", unit="attempts", ge=1, le=20)
    ] = 4

    # Console
    console_host: Annotated[str, _about("address the console listens on", "console")] = "127.0.0.1"
    console_port: Annotated[int, _about("port the console listens on", "console", ge=1, le=65_535)] = 8050
    console_origins: Annotated[
        str,
        _about(
            "where browsers find the console behind a reverse proxy; with it, the console answers to these names and this "
            "machine's own alone",
            "console",
            allowed="empty, or origins such as https://console.example, separated by commas",
            pattern=r"^(|https?://[^/\s,?#@]+(,https?://[^/\s,?#@]+)*)$",
        ),
    ] = ""
    console_refresh_s: Annotated[
        int, _about("refresh interval a page opens with; 0: off", "console", unit="seconds", ge=0, le=900)
    ] = 10

    # Lab
    lab_name: Annotated[
        str, _about("word that the names of the lab's network namespaces begin with; two labs at once need two",
                    "lab", allowed="lower-case letters and digits, a letter first, at most 16", pattern=r"^[a-z][a-z0-9]{0,15}$")
    ] = "gw"

    # All services
    log_bytes_max: Annotated[
        int,
        _about(
            "size of a log file in DATA/logs; what is longer moves to old files, of which three are kept",
            unit="bytes", ge=131_072, le=1 << 30,
        ),
    ] = 16 << 20
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("least level that is logged")] = "info"

    @property
    def data_path(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def inventory_path(self) -> Path:
        """The inventory file: what was set, else `inventory.toml` in the data folder."""
        return Path(self.inventory) if self.inventory else self.data_path / "inventory.toml"


class BadSetting(Refusal, ValueError):
    """A setting with a value it cannot have; the message names setting, value and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingEntry:
    """One line of the table, for flags and documents."""

    name: str
    type: type
    default: Any
    help: str
    unit: str
    services: tuple[str, ...]
    allowed: str

    @property
    def environment(self) -> str:
        """Name of the environment variable, `GATEWATCH_<NAME>`."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """Name of the command-line flag."""
        return "--" + self.name.replace("_", "-")


def entries(service: str | None = None) -> Iterator[SettingEntry]:
    """The table, whole or as far as `service` reads it, in the order of the class."""
    for entry in _table():
        if service is None or service in entry.services or entry.services == ALL:
            yield entry


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


@cache
def _table() -> tuple[SettingEntry, ...]:
    """Made once: every command asks for it as it starts."""
    made = []
    for field in msgspec.structs.fields(Settings):
        base, meta = get_args(_hints()[field.name])
        extra = meta.extra or {}
        made.append(SettingEntry(
            name=field.name,
            type=str if get_origin(base) is Literal else base,
            default=field.default,
            help=meta.description or "",
            unit=extra["unit"],
            services=extra["services"],
            allowed=_allowed(base, meta),
        ))
    return tuple(made)


def _allowed(base: type, meta: Meta) -> str:
    if meta.ge is not None or meta.le is not None:
        return f"{meta.ge} to {meta.le}"
    if get_origin(base) is Literal:
        return " or ".join(get_args(base))
    return str((meta.extra or {})["allowed"])


def load(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    config_file: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Put settings together from flags, environment, file and defaults; raise `BadSetting` on the first bad one.

    `defaults` are a command's own, which take the place of the table's.
    """
    given: dict[str, Any] = {**(defaults or {}), **_from_file(config_file)}
    environment = os.environ if environment is None else environment
    for entry in entries():
        if entry.environment in environment:
            given[entry.name] = environment[entry.environment]
    given.update({name: value for name, value in (flags or {}).items() if value is not None})
    return _checked(given)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"the settings file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8, and numbers of thousands of digits
        raise BadSetting(f"the settings file {path} is not TOML: {error}") from error


def _checked(given: Mapping[str, Any]) -> Settings:
    table = {entry.name: entry for entry in entries()}
    hints = _hints()
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in table:
            raise BadSetting(f"there is no setting named {name!r}; `gatewatch settings` lists them")
        try:
            values[name] = msgspec.convert(value, hints[name], strict=False)
        except msgspec.ValidationError:
            raise BadSetting(
                f"setting {name} is {value!r}; allowed: {table[name].allowed} {table[name].unit}".rstrip()
            ) from None
    return Settings(**values)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that gives a child process these same settings, whatever it would inherit."""
    return {entry.environment: str(getattr(settings, entry.name)) for entry in entries()}
