"""Paths of the lake: AWS's for flow logs, and never what a record could smuggle in."""

from __future__ import annotations

import pytest

from ingest import layout

HOUR = 498_721  # 2026-11-23 01:00 UTC


def test_flow_logs_lie_in_awss_hive_compatible_hourly_layout() -> None:
    assert layout.flow_log_folder("123456789012", "us-east-1", HOUR) == (
        "flow_logs/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1"
        "/year=2026/month=11/day=23/hour=01"
    )
    name = layout.flow_log_file("123456789012", "us-east-1", HOUR * 3600 + 125, "0011223344556677")
    identity = layout.flow_log_id("123456789012", "us-east-1")
    assert name == f"123456789012_vpcflowlogs_us-east-1_{identity}_20261123T0102Z_0011223344556677.log.parquet"
    assert len(identity) == len("fl-0123456789abcdef0")


def test_other_tables_are_by_date_and_hour() -> None:
    assert layout.table_folder("metrics", HOUR) == "metrics/date=2026-11-23/hour=01"
    assert layout.table_file(HOUR * 3600 + 61, "ab") == "20261123T0101Z_ab.parquet"


@pytest.mark.parametrize("value", [None, "", "../../etc", "unknown", "12345678901", "1234567890123", "12345678901/"])
def test_an_account_that_is_none_becomes_unknown(value: str | None) -> None:
    assert "/aws-account-id=unknown/" in layout.flow_log_folder(value, "us-east-1", HOUR)
    assert layout.flow_log_file(value, "us-east-1", 0, "ab").startswith("unknown_vpcflowlogs_us-east-1_")


@pytest.mark.parametrize("value", [None, "", "..", "us east", "US-EAST-1", "a" * 33])
def test_a_region_that_is_none_becomes_unknown(value: str | None) -> None:
    assert "/aws-region=unknown/" in layout.flow_log_folder("123456789012", value, HOUR)
