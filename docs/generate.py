"""Writes `docs/reference/*.md` from the code, so that no setting, field, drop reason or saved query goes undocumented.

`make docs` runs it; a test compares the pages with what it would write.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

from forwarder.capture.drop_reason import DROP_REASONS, NUMBERS
from forwarder.capture.window import ACCEPTED_FLOWS, REJECTED_FLOWS
from forwarder.telemetry.book_metrics import Books
from forwarder.telemetry.gateway_metrics import RULES
from gatewatch.api_service import SERVED
from gatewatch.records.flow_log import FIELDS, GATEWATCH_FORMAT
from gatewatch.records.metric import GATEWAY_NAMESPACE, OWN_NAMESPACE
from gatewatch.records.tables import TABLES
from gatewatch.settings import entries as settings_entries
from gatewatch.settings_page import markdown_page
from queries.conditions.condition import CONDITIONS, alarm_name
from queries.saved_query import load, names

REFERENCE = Path(__file__).parent / "reference"


def drop_reasons() -> str:
    """The page of drop reasons."""
    lines = [
        "# Drop reasons",
        "",
        "Every packet that does not arrive is counted under one of these; where the packet had a readable 5-tuple its flow record",
        "is a `REJECT` with `gw-drop-reason`. Reasons of the hop *return* explain datagrams from targets that were refused and are",
        "not added to the packets' books (docs/troubleshooting.md).",
        "",
        "The number stands for the reason where there is no text; it never changes.",
        "",
        "| Reason | Number | Hop | What happened | What to do |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| `{reason}` | {NUMBERS[reason]} | {text.hop} | {text.meaning} | {text.action} |" for reason, text in DROP_REASONS.items()]
    return "\n".join(lines) + "\n"


def flow_log_fields() -> str:
    """The page of flow-log fields."""
    lines = [
        "# Flow-log fields",
        "",
        "Version 0 marks what gatewatch adds. gatewatch writes this format:",
        "",
        f"`{GATEWATCH_FORMAT}`",
        "",
        "A value outside its domain puts its record into `rejects` with field and reason; `-` is in every domain. Where AWS goes on",
        "adding values the domain is any text.",
        "",
        "| Field | Version | Parquet column | Type | Domain | Meaning |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.name} | {f.version} | `{f.column}` | {f.type} | {f.domain} | {f.meaning} |" for f in FIELDS.values()
    ]
    return "\n".join(lines) + "\n"


def tables() -> str:
    """The page of the lake's tables."""
    lines = ["# Tables of the lake", ""]
    for table in TABLES.values():
        source = f"from topic `{table.topic}`" if table.topic else "records that could not be read, with the reason"
        lines += [f"## {table.name}", "", f"{source}; a row's time is `{table.time_column}`.", ""]
        columns = (
            "the fields of [flow-log-fields.md](flow-log-fields.md)"
            if table.name == "flow_logs"
            else ", ".join(f"`{field.name}` {field.type}" for field in table.schema)
        )
        lines += [f"Columns: {columns}.", ""]
    return "\n".join(lines)


def saved_queries() -> str:
    """The page of saved queries."""
    lines = ["# Saved queries", "", "Run one with `gatewatch query NAME --last 15m -p PARAMETER=VALUE`.", ""]
    for name in names():
        query = load(name)
        lines += [f"## {name}", "", f"{query.title}. {query.about}".strip(), "", f"Rows counted: {query.rows}", ""]
        own = [p for p in query.parameters if p.default is not None]
        lines += [f"- parameter `{p.name}` ({p.type}, default {p.default}): {p.meaning}" for p in own]
        lines += [f"- column `{column}`: {meaning}" for column, meaning in query.columns.items()]
        lines.append("")
    return "\n".join(lines)


def api_operations() -> str:
    """The page of API operations."""
    lines = [
        "# API operations", "",
        "Served on one port for the AWS CLI, boto3 and other SDKs. Anything else answers AWS's error for an unknown action; a",
        "parameter that gatewatch does nothing with is refused rather than passed over.", "",
    ]
    for service, operations in SERVED.items():
        lines += [f"## {service}", "", ", ".join(f"`{name}`" for name in sorted(operations)) + ".", ""]
    return "\n".join(lines)


def metrics() -> str:
    """The page of metrics."""
    lines = [
        "# Metrics", "", f"## {GATEWAY_NAMESPACE}", "",
        "Dimensions: `LoadBalancer` (and `TargetGroup` for host counts); where *by zone* is yes also with `AvailabilityZone`, each a",
        "metric of its own.", "", "| Metric | Unit | Published | By zone | Meaning |", "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {rule.unit} | {rule.reporting.value} | {'yes' if rule.by_zone else 'no'} | {rule.meaning} |"
        for name, rule in RULES.items()
    ]
    own = dict.fromkeys(name for (name, _), _ in Books(dropped={"-": 0}, refused={"-": 0}).entries())
    lines += [
        "", f"## {OWN_NAMESPACE}", "",
        "The packets' books as differences per period; their sums are the counters of `gatewatch status`. `PacketsDropped` and",
        "`ReturnsRefused` have the dimension `Reason` ([drop-reasons.md](drop-reasons.md)).", "",
        ", ".join(f"`{name}`" for name in own) + ".", "",
    ]
    return "\n".join(lines)


def conditions() -> str:
    """The page of conditions."""
    lines = [
        "# Conditions", "",
        "What can be wrong with the whole, decided from what the services tell of themselves, and told by the console's header and",
        "pages, `gatewatch status` and `gatewatch health`. *critical*: traffic or records are lost. Each is a metric (`Gatewatch`,",
        "`ConditionActive`, dimension `Condition`); where an alarm is named it watches that metric, unless `alarms_file` is set.",
        "",
        "| Condition | Severity | What it means | What to do | Default alarm |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{code}` | {kind.severity} | {kind.meaning} | {kind.action} |"
        f" {f'`{alarm_name(code)}`' if kind.alarm else ''} |"
        for code, kind in CONDITIONS.items()
    ]
    return "\n".join(lines) + "\n"


def bounds() -> str:
    """The page of bounds, from `docs/bounds.toml`."""
    entries = tomllib.loads((Path(__file__).parent / "bounds.toml").read_text(encoding="utf-8"))["bound"]
    lines = [
        "# Bounds", "",
        "Every table and queue that a sender of packets or a caller can fill: how large it gets, what happens then and to whom, how it",
        "recovers, and where that is seen. Settings are in [settings.md](settings.md).", "",
        "| What | Bound | When it is full | Recovers | Shown | Test |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each['what']} | {bound_text(each['bound'])} | {each['full']} | {each['recovers']} | {each['shown']} |"
        f" [{Path(each['test']).name}](../../{each['test']}) |"
        for each in entries
    ]
    return "\n".join(lines) + "\n"


def bound_text(bound: str) -> str:
    """A setting with its unit and default, or a constant with its value."""
    module, _, constant = bound.partition(":")
    if constant:
        return f"{getattr(import_module(module), constant):,} (`{constant}` of `{module}`)"
    entry = next(entry for entry in settings_entries() if entry.name == bound)
    return f"`{bound}`, {entry.default:,} {entry.unit}"


def rooms() -> str:
    """The page of folders and what each may import."""
    told = tomllib.loads((Path(__file__).parent / "rooms.toml").read_text(encoding="utf-8"))
    lines = [
        "# Rooms",
        "",
        "Which folder may import which; `tests/structure/test_rooms.py` fails on any other arrow, and on one that nobody takes. *Pure*:",
        "no sockets, clocks, threads, files or logging of its own. The front door (`gatewatch/cli.py` and what it calls) may import all.",
        "",
        "| Folder | What is in it | May import | Pure |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name.replace('.', '/')}/` | {room['is']} | {', '.join(f'`{each}`' for each in room['imports']) or 'nothing'} "
        f"| {'yes' if room.get('pure') else ''} |"
        for name, room in told.items()
    ]
    return "\n".join(lines) + "\n"


def capture_window() -> str:
    """The page of a closed capture window's columns."""
    lines = [
        "# A closed capture window",
        "",
        "What a data path hands to telemetry (`forwarder/capture/window.py`): two Arrow tables, without nulls. A row of the first is a",
        "flow, direction and target that had packets; of the second an endpoint, reason and flow that was refused.",
    ]
    for title, schema in (("Accepted flows", ACCEPTED_FLOWS), ("Rejected flows", REJECTED_FLOWS)):
        lines += ["", f"## {title}", "", "| Column | Type | Unit | Meaning |", "|---|---|---|---|"]
        for column in schema:
            about = {key.decode(): value.decode() for key, value in column.metadata.items()}
            lines.append(f"| `{column.name}` | {column.type} | {about['unit']} | {about['meaning']} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "rooms.md": rooms,
    "capture-window.md": capture_window,
    "bounds.md": bounds,
    "conditions.md": conditions,
    "api.md": api_operations,
    "metrics.md": metrics,
    "settings.md": markdown_page,
    "drop-reasons.md": drop_reasons,
    "flow-log-fields.md": flow_log_fields,
    "tables.md": tables,
    "saved-queries.md": saved_queries,
}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
