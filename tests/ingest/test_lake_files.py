"""Files of the lake: split by account, region and hour, readable by others, and never half there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewatch.records.tables import FLOW_LOGS, METRICS, REJECTS
from ingest import lake_files
from tests.ingest.flow_messages import HOUR_START_S


def flow_rows(*rows: tuple[str | None, str | None, int | None, int | None]) -> pa.Table:
    columns = dict(zip(("account_id", "region", "start", "end"), zip(*rows, strict=True), strict=True))
    return pa.table({f.name: pa.array(columns.get(f.name, [None] * len(rows)), f.type) for f in FLOW_LOGS.schema})


def test_rows_are_split_by_account_region_and_hour(tmp_path: Path) -> None:
    rows = flow_rows(
        ("123456789012", "us-east-1", HOUR_START_S, HOUR_START_S), ("123456789012", "eu-west-1", HOUR_START_S + 1, 0),
        ("123456789012", "us-east-1", HOUR_START_S - 1, HOUR_START_S), ("../..", "us-east-1", HOUR_START_S, 0),
        ("123456789012", "us-east-1", HOUR_START_S + 3_599, 0),
    )
    files = list(lake_files.write(tmp_path, FLOW_LOGS, rows, 0))
    found = {f.slot.split("aws-account-id=")[1]: (f.rows, f.min_ms, f.max_ms) for f in files}
    start_ms = HOUR_START_S * 1_000
    place = "aws-service=vpcflowlogs/aws-region={}/year=2026/month=11/day=23/hour={}"
    assert found == {
        "123456789012/" + place.format("us-east-1", "01"): (2, start_ms, start_ms + 3_599_000),
        "123456789012/" + place.format("us-east-1", "00"): (1, start_ms - 1_000, start_ms - 1_000),
        "123456789012/" + place.format("eu-west-1", "01"): (1, start_ms + 1_000, start_ms + 1_000),
        "unknown/" + place.format("us-east-1", "01"): (1, start_ms, start_ms),
    }
    on_disk = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert on_disk == {file.path for file in files}
    assert all((tmp_path / file.path).stat().st_size == file.bytes for file in files)
    assert pa.concat_tables(pq.read_table(tmp_path / f.path, partitioning=None) for f in files).num_rows == 5


def test_a_record_without_start_is_placed_by_end_and_without_both_by_now(tmp_path: Path) -> None:
    rows = flow_rows((None, None, None, HOUR_START_S), (None, None, None, None))
    by_end, by_now = lake_files.write(tmp_path, FLOW_LOGS, rows, HOUR_START_S + 3_600)
    assert by_end.slot.endswith("hour=01")
    assert (by_now.slot.endswith("hour=02"), by_now.min_ms, by_now.max_ms) == (True, None, None)


def test_a_file_is_plain_zstd_parquet_with_the_tables_columns(tmp_path: Path) -> None:
    values = {field.name: pa.array([None], field.type) for field in METRICS.schema}
    values["timestamp"] = pa.array([HOUR_START_S * 1_000], METRICS.schema.field("timestamp").type)
    values["metric_name"] = pa.array(["HealthyHostCount"]).dictionary_encode()
    file = next(lake_files.write(tmp_path, METRICS, pa.table(values), 0))
    assert file.path.startswith("metrics/date=2026-11-23/hour=01/20261123T0100Z_")
    parquet = pq.ParquetFile(tmp_path / file.path)
    assert parquet.schema_arrow.equals(METRICS.schema)
    assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        lake_files.write_file(tmp_path, REJECTS, "rejects", "a.parquet", pa.table({"reason": ["x"]}))
    folder = tmp_path / "rejects"
    assert [path.name for path in folder.iterdir()] == ["a.parquet"]
    with pytest.raises(pa.ArrowException):
        lake_files.write_file(tmp_path, REJECTS, "rejects", "b.parquet", pa.table({"x": pa.nulls(1, pa.month_day_nano_interval())}))
    assert [path.name for path in folder.iterdir()] == ["a.parquet"]
