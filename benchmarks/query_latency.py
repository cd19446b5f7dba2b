"""How long questions to the lake take: every saved query over flow logs, a user's SQL, an alarm's evaluation.

    PYTHONPATH=. .venv/bin/python benchmarks/query_latency.py [--rows 2000000] [--repeat 3]

Two million made-up records of eight hours, written by ingest's own writer (a file an hour) and published in a manifest.
References in the same run: the same SQL over the same rows in DuckDB's memory (what reading Parquet costs on top), and
`pyarrow.dataset` grouping the same files (another engine) for one query.  Goals: every saved query over all rows under
2 s, top talkers no slower than pyarrow, a warm user's query over one hour under 0.2 s, an alarm evaluation under 50 ms.
Best of `--repeat`; a JSON line a case.  Takes about half a minute.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from gatewatch.records.tables import FLOW_LOGS, METRICS, Table
from gatewatch.settings import Settings
from ingest import lake_files
from ingest.manifest_writer import Commit, ManifestWriter
from queries.alarms.alarm import default_alarm
from queries.alarms.measurement import Clock, measure
from queries.lake import Lake
from queries.saved_query import load, names, run
from queries.sql_runner import SqlRunner, run_sql

HOUR_S = 1_795_395_600
HOURS = 8
SEED = 7
TALKERS = 5_000


def main() -> None:
    """Make the lake, run the cases, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=2_000_000, help="flow records")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; the best counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatewatch-bench-") as folder:
        data = Path(folder)
        began_s = time.perf_counter()
        hours = [flow_records(options.rows // HOURS, hour) for hour in range(HOURS)]
        say("write", seconds=time.perf_counter() - began_s, rows=options.rows, bytes=fill(data, hours))
        saved_queries(data, hours, options.repeat)
        users_sql(data, options.repeat)
        alarm_evaluation(data, options.repeat)


def say(case: str, **figures: Any) -> None:
    """Print one case."""
    print(json.dumps({"case": case} | {
        name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()
    }), flush=True)


def best(act: Callable[[], Any], repeat: int) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeat):
        began_s = time.perf_counter()
        act()
        times.append(time.perf_counter() - began_s)
    return min(times)


def flow_records(count: int, hour: int) -> pa.Table:
    """One hour of endpoint and balancer records: Zipf talkers, a pair of ingress and egress for most flows."""
    random = numpy.random.default_rng(SEED + hour)
    client = numpy.minimum(random.zipf(1.3, count), TALKERS) - 1
    addresses = numpy.array([f"203.0.{number // 256}.{number % 256}" for number in range(TALKERS)])
    servers = numpy.array([f"10.0.2.{number}" for number in range(1, 51)])
    kind = random.integers(0, 10, count)  # 0-4 ingress, 5-7 egress, 8 refused, 9 the balancer's
    balancer, refused = kind == 9, kind == 8
    start = HOUR_S + 3_600 * hour + numpy.sort(random.integers(0, 3_600, count))
    packets = numpy.minimum(random.pareto(1.2, count) * 10 + 1, 1e6).astype(numpy.int64)
    targets = numpy.array([f"i-{number:017x}" for number in range(3)])[client % 3]
    source, destination = addresses[client], servers[random.integers(0, 50, count)]
    columns = {
        "version": numpy.full(count, 5), "account_id": numpy.full(count, "123456789012"),
        "interface_id": numpy.where(balancer, "eni-0b", "eni-0e"), "region": numpy.full(count, "us-east-1"),
        "srcaddr": source, "dstaddr": destination, "pkt_srcaddr": source, "pkt_dstaddr": destination,
        "srcport": random.integers(1_024, 65_536, count),
        "dstport": numpy.where(balancer, 6081, random.choice([80, 443, 22, 53], count)),
        "protocol": numpy.where(balancer, 17, 6), "packets": packets, "bytes": packets * random.integers(60, 1_500, count),
        "start": start, "end": start + random.integers(0, 60, count), "action": numpy.where(refused, "REJECT", "ACCEPT"),
        "log_status": numpy.full(count, "OK"), "tcp_flags": random.choice([0, 2, 3, 18, 19], count),
        "type": numpy.full(count, "IPv4"),
        "flow_direction": numpy.where((kind >= 5) & (kind <= 7), "egress", "ingress"),
        "gw_endpoint_id": pa.array(numpy.where(balancer, "", "vpce-1"), mask=balancer),
        "gw_target_id": pa.array(targets, mask=refused), "gw_az_id": numpy.full(count, "use1-az1"),
        "gw_drop_reason": pa.array(random.choice(["no_target", "unknown_flow"], count), mask=~refused),
    }
    return pa.table({
        field.name: pa.array(columns[field.name]).cast(field.type) if field.name in columns
        else pa.nulls(count, field.type)
        for field in FLOW_LOGS.schema
    })


def metric_records(seconds: int) -> pa.Table:
    """The host counts of four target groups, a point a second."""
    rows = [
        {
            "timestamp": (HOUR_S + second) * 1000, "namespace": "AWS/GatewayELB", "metric_name": name, "unit": "Count",
            "load_balancer": "gwy/a/1", "target_group": f"targetgroup/{group}/1",
            "dimensions": json.dumps({"LoadBalancer": "gwy/a/1", "TargetGroup": f"targetgroup/{group}/1"}),
            "sample_count": 1.0, "sum": 0.0, "minimum": 0.0, "maximum": 0.0,
        }
        for second in range(seconds) for group in "abcd" for name in ("HealthyHostCount", "UnHealthyHostCount")
    ]
    return pa.Table.from_pylist(rows, schema=METRICS.schema)


def publish(data: Path, writer: ManifestWriter, table: Table, rows: pa.Table) -> int:
    """Write rows as ingest does and make them readable; the bytes written."""
    files = list(lake_files.write(data / "lake", table, rows, float(HOUR_S)))
    writer.commit(Commit(at_s=float(HOUR_S), files=files))
    return sum(file.bytes for file in files)


def fill(data: Path, hours: list[pa.Table]) -> int:
    """Make the lake: flow logs by the hour, metrics in files of ten seconds as they come from the bus."""
    (data / "lake").mkdir()
    writer = ManifestWriter(data / "manifest.sqlite")
    size = sum(publish(data, writer, FLOW_LOGS, rows) for rows in hours)
    metrics = metric_records(600)
    for first in range(0, metrics.num_rows, 80):
        publish(data, writer, METRICS, metrics.slice(first, 80))
    writer.close()
    return size


def saved_queries(data: Path, hours: list[pa.Table], repeat: int) -> None:
    """Every saved query over flow logs, beside the same SQL in memory."""
    lake = Lake(data)
    bounds = {"start_s": float(HOUR_S), "end_s": float(HOUR_S + 3_600 * HOURS)}
    with duckdb.connect() as memory:
        memory.register("arrow", pa.concat_tables(hours))
        memory.execute("CREATE TABLE flow_logs AS SELECT * FROM arrow")
        for name in names():
            query = load(name)
            if query.tables != ("flow_logs",):
                continue
            values = {each.name: each.default for each in query.parameters if each.default is not None} | bounds

            def in_memory(sql: str = query.sql, values: dict[str, Any] = values) -> Any:
                return memory.execute(sql, values).fetchall()

            def in_lake(name: str = name) -> Any:
                return run(lake, name, **bounds)

            whole = best(in_lake, repeat)
            hour = best(lambda name=name: run(lake, name, start_s=HOUR_S, end_s=HOUR_S + 3_600), repeat)  # type: ignore[misc]
            say(f"saved query {name}", lake_s=whole, lake_one_hour_s=hour, memory_s=best(in_memory, repeat))
    [listed] = lake.files(["flow_logs"])
    say(
        "top_talkers in pyarrow.dataset",
        pyarrow_s=best(lambda: top_talkers_in_pyarrow(listed.paths), repeat),
        lake_s=best(lambda: run(lake, "top_talkers", **bounds), repeat),
    )


def top_talkers_in_pyarrow(paths: tuple[str, ...]) -> pa.Table:
    """The sums of the saved query, by another engine."""
    field = pc.field
    chosen = (
        field("gw_endpoint_id").is_valid() & (field("flow_direction") == "ingress") & (field("log_status") == "OK")
        & (field("start") >= HOUR_S) & (field("start") < HOUR_S + 3_600 * HOURS)
    )
    columns = {
        "pkt_srcaddr": field("pkt_srcaddr"), "pkt_dstaddr": field("pkt_dstaddr"), "bytes": field("bytes"),
        "packets": field("packets"), "end": field("end"),
        "rejected": pc.if_else(field("action") == "REJECT", field("packets"), 0),
    }
    rows = pyarrow.dataset.dataset(list(paths)).to_table(columns=columns, filter=chosen)
    grouped = rows.group_by("pkt_srcaddr").aggregate([
        ("bytes", "sum"), ("packets", "sum"), ("rejected", "sum"), ("end", "max"), ("pkt_dstaddr", "count_distinct"),
    ])
    return grouped.sort_by([("bytes_sum", "descending")]).slice(0, 10)


def users_sql(data: Path, repeat: int) -> None:
    """A user's statement in a process of its own: started for it, and warm."""
    settings = Settings(data=str(data))
    statement = f"SELECT action, sum(bytes) FROM flow_logs WHERE start < {HOUR_S + 3_600} GROUP BY action"
    once = best(lambda: run_sql(settings, statement), repeat)
    with SqlRunner(settings) as runner:
        runner.run(statement)
        say(
            "user's SQL, one hour", process_started_s=once, warm_s=best(lambda: runner.run(statement), repeat),
            warm_nothing_s=best(lambda: runner.run("SELECT 1"), repeat),
        )


def alarm_evaluation(data: Path, repeat: int) -> None:
    """What one evaluation of the default alarm asks of the lake, in the middle of ten minutes of metrics."""
    alarm = default_alarm(Settings(alarm_period_s=1, metrics_period_s=1))
    clock = Clock(now_s=HOUR_S + 300.5, metrics_period_s=1, arrival_s=5.0)
    lake = Lake(data)
    say("alarm evaluation, 1 s periods", evaluation_s=best(lambda: measure(lake, [alarm], clock), repeat))


if __name__ == "__main__":
    main()
