"""The lake's tables: one a topic, and JSON records that fit their table."""

from __future__ import annotations

import msgspec
import pytest

from gatewatch.records.alarm_event import AlarmEvent
from gatewatch.records.appliance_access import ApplianceAccess
from gatewatch.records.tables import ALARMS, APPLIANCE_ACCESS, BY_TOPIC, SEQUENCE, TABLES, TARGET_HEALTH, Table
from gatewatch.records.target_health import TargetHealthChange
from gatewatch.records.topics import TOPICS


def test_every_topic_feeds_one_table() -> None:
    assert set(BY_TOPIC) == set(TOPICS)
    assert len(BY_TOPIC) == len(TOPICS)


def test_every_table_has_its_time_column() -> None:
    for table in TABLES.values():
        assert table.time_column in table.schema.names


@pytest.mark.parametrize(
    ("record", "table"),
    [(TargetHealthChange, TARGET_HEALTH), (ApplianceAccess, APPLIANCE_ACCESS), (AlarmEvent, ALARMS)],
)
def test_a_records_fields_are_its_tables_columns(record: type[msgspec.Struct], table: Table) -> None:
    assert list(record.__struct_fields__) == [name for name in table.schema.names if name != SEQUENCE]
