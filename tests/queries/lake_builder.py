"""Small lakes for tests: rows as dictionaries become real Parquet files, published through the manifest's writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gatewatch.records.tables import FLOW_LOGS, TABLES
from ingest.manifest_writer import Commit, LakeFile, ManifestWriter, StreamDelta

#: A moment in 2026 that is a whole hour, so that periods and windows begin with it.
HOUR_S = 1_795_395_600

ENDPOINT = "vpce-0a0a0a0a0a0a0a0a0"
ENDPOINT_INTERFACE = "eni-0e0e0e0e0e0e0e0e0"
BALANCER_INTERFACE = "eni-0b0b0b0b0b0b0b0b0"
BALANCER = "gwy/inspection/0123456789abcdef"
GROUP = "targetgroup/appliances/fedcba9876543210"


def publish(data: Path, table: str, rows: Sequence[Mapping[str, Any]] | pa.Table, *, name: str = "part") -> Path:
    """Write one file of `table` and make it readable; columns that a row lacks are null."""
    arrow = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=TABLES[table].schema)
    times = _times_ms(table, arrow)
    path = data / "lake" / table / f"{name}-{len(list((data / 'lake').rglob('*.parquet')))}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow, path, compression="zstd")
    file = LakeFile(
        path=str(path.relative_to(data / "lake")), table=table, slot=table, rows=arrow.num_rows,
        bytes=path.stat().st_size, min_ms=min(times, default=None), max_ms=max(times, default=None),
    )
    writer = ManifestWriter(data / "manifest.sqlite")
    try:
        writer.commit(Commit(at_s=HOUR_S, files=[file]))
    finally:
        writer.close()
    return path


def record_stream(data: Path, origin: str, topic: str, **counts: int) -> None:
    """Say in the manifest what ingest had of a stream (fields of `StreamDelta`)."""
    writer = ManifestWriter(data / "manifest.sqlite")
    try:
        writer.commit(Commit(at_s=HOUR_S, streams={(origin, topic): StreamDelta(**counts)}))
    finally:
        writer.close()


def _times_ms(table: str, rows: pa.Table) -> list[int]:
    column = rows.column(TABLES[table].time_column)
    values = pc.multiply(column, 1000) if table == FLOW_LOGS.name else pc.cast(column, pa.int64())
    bounds = pc.min_max(values)
    return [bound.as_py() for bound in bounds.values() if bound.as_py() is not None]


def flow(start_s: float, **fields: Any) -> dict[str, Any]:
    """An endpoint's ingress record of one TCP flow; `fields` change or add columns."""
    row = {
        "version": 5, "account_id": "123456789012", "interface_id": ENDPOINT_INTERFACE, "srcaddr": "203.0.113.10",
        "dstaddr": "10.0.1.4", "srcport": 40_000, "dstport": 80, "protocol": 6, "packets": 10, "bytes": 1_000,
        "start": int(start_s), "end": int(start_s) + 9, "action": "ACCEPT", "log_status": "OK", "tcp_flags": 3,
        "type": "IPv4", "pkt_srcaddr": "203.0.113.10", "pkt_dstaddr": "10.0.2.10", "flow_direction": "ingress",
        "gw_endpoint_id": ENDPOINT, "gw_target_id": "i-1", "gw_az_id": "use1-az1",
    }
    return {**row, **fields}


def balancer_flow(start_s: float, target: str, **fields: Any) -> dict[str, Any]:
    """A record of the balancer's interface: GENEVE to a target."""
    return {
        **flow(start_s), "interface_id": BALANCER_INTERFACE, "srcaddr": "10.1.1.5", "dstaddr": "10.1.2.10",
        "pkt_srcaddr": "10.1.1.5", "pkt_dstaddr": "10.1.2.10", "srcport": 51_000, "dstport": 6081, "protocol": 17,
        "tcp_flags": 0, "flow_direction": "egress", "gw_endpoint_id": None, "gw_target_id": target, **fields,
    }


def metric(time_s: float, metric_name: str, value: float, **fields: Any) -> dict[str, Any]:
    """A point of AWS/GatewayELB with one sample; `dimensions` (a dictionary) defaults to the load balancer alone."""
    dimensions = fields.pop("dimensions", {"LoadBalancer": BALANCER})
    row = {
        "timestamp": round(time_s * 1000), "namespace": "AWS/GatewayELB", "metric_name": metric_name, "unit": "Count",
        "load_balancer": dimensions.get("LoadBalancer"), "target_group": dimensions.get("TargetGroup"),
        "availability_zone": dimensions.get("AvailabilityZone"),
        "dimensions": msgspec.json.encode(dict(sorted(dimensions.items()))).decode(),
        "sample_count": 1.0, "sum": value, "minimum": value, "maximum": value, "account_id": "123456789012",
        "region": "us-east-1",
    }
    return {**row, **fields}


def unhealthy(time_s: float, value: float, group: str = GROUP) -> dict[str, Any]:
    """A point of UnHealthyHostCount of a target group."""
    return metric(time_s, "UnHealthyHostCount", value, dimensions={"LoadBalancer": BALANCER, "TargetGroup": group})


def health_change(time_s: float, target: str, state: str, **fields: Any) -> dict[str, Any]:
    """A row of `target_health`."""
    row = {
        "time": round(time_s * 1000), "load_balancer": BALANCER, "target_group": GROUP, "target_id": target,
        "target_address": "10.1.2.10", "availability_zone": "us-east-1a", "previous_state": "initial", "state": state,
        "reason": "", "description": "",
    }
    return {**row, **fields}


def audit_event(time_s: float, event_name: str, **fields: Any) -> dict[str, Any]:
    """A row of `audit_events`."""
    row = {
        "event_time": round(time_s * 1000), "event_id": f"{event_name}-{time_s}",
        "event_source": "elasticloadbalancing.amazonaws.com", "event_name": event_name, "read_only": False,
        "user_name": "alice", "access_key_id": "AKIAEXAMPLE", "source_ip_address": "127.0.0.1",
        "user_agent": "aws-cli", "error_code": None, "error_message": None, "request_id": "r-1",
        "aws_region": "us-east-1", "request_parameters": "{}", "response_elements": None, "record": "{}",
    }
    return {**row, **fields}


def access(start_s: float, action: str, rule: str, **fields: Any) -> dict[str, Any]:
    """A row of `appliance_access`."""
    row = {
        "start": round(start_s * 1000), "end": round(start_s * 1000) + 1000, "appliance_id": "appliance-1",
        "srcaddr": "203.0.113.10", "dstaddr": "10.0.2.10", "srcport": 40_000, "dstport": 80, "protocol": 6,
        "action": action, "rule": rule, "packets": 4, "bytes": 400, "gw_endpoint_id": ENDPOINT, "flow_cookie": 7,
    }
    return {**row, **fields}


def all_of(*groups: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of several groups in one list."""
    return [row for group in groups for row in group]
