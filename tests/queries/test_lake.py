"""Views over exactly the manifest's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.bus import Message
from gatewatch.records import topics
from gatewatch.records.flow_log import DEFAULT_FORMAT
from gatewatch.records.tables import TABLES
from ingest.pipeline import Pipeline
from queries.lake import Lake, QueryFailed, column_types
from tests.queries.lake_builder import HOUR_S, flow, publish


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_table_without_files_is_empty_and_typed(tmp_path: Path, table: str) -> None:
    lake = Lake(tmp_path / "not-there-yet")
    rows = lake.fetch(f"SELECT * FROM {table}", tables=[table])
    assert rows.num_rows == 0
    assert set(TABLES[table].schema.names) <= set(rows.column_names)


def test_an_empty_table_and_a_full_one_have_the_same_types(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    before = lake.fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).schema
    publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    assert lake.fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).schema == before


def test_files_that_the_manifest_does_not_name_are_not_read(tmp_path: Path) -> None:
    named = publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    (named.parent / "orphan.parquet").write_bytes(named.read_bytes())
    assert Lake(tmp_path).fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).num_rows == 1


def test_only_files_of_the_time_range_are_opened(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    publish(tmp_path, "flow_logs", [flow(HOUR_S + 3_600)])
    lake = Lake(tmp_path)
    [files] = lake.files(["flow_logs"], start_s=HOUR_S + 10, end_s=HOUR_S + 4_000)
    assert len(files.paths) == 1
    [none] = lake.files(["flow_logs"], start_s=HOUR_S + 10, end_s=HOUR_S + 20)
    assert none.paths == ()


def test_start_and_end_are_there_as_times_too(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    [row] = Lake(tmp_path).fetch("SELECT start_time, end_time FROM flow_logs", tables=["flow_logs"]).to_pylist()
    assert [row["start_time"].timestamp(), row["end_time"].timestamp()] == [HOUR_S, HOUR_S + 9]


def test_what_ingest_writes_is_what_is_read(tmp_path: Path) -> None:
    line = "2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
    message = Message(
        topic=topics.FLOW_LOGS, key="eni-1", value=line.encode(), records=1, headers={"format": DEFAULT_FORMAT},
        origin="test.00000000", seq=1, partition="p", offset=1,
    )
    pipeline = Pipeline(tmp_path)
    pipeline.take([message])
    pipeline.close()
    [row] = Lake(tmp_path).fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).to_pylist()
    assert (row["srcaddr"], row["bytes"], row["gw_endpoint_id"]) == ("172.31.16.139", 4249, None)


def test_a_file_that_vanished_is_a_failure_not_no_data(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)]).unlink()
    with pytest.raises(QueryFailed, match="cannot be read"):
        Lake(tmp_path).fetch("SELECT * FROM flow_logs", tables=["flow_logs"])


def test_a_manifest_that_is_none_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "manifest.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(QueryFailed, match="list of files"):
        Lake(tmp_path).fetch("SELECT * FROM flow_logs", tables=["flow_logs"])


def test_wrong_sql_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(QueryFailed, match="foo"):
        Lake(tmp_path).fetch("SELECT foo FROM flow_logs", tables=["flow_logs"])


def test_two_questions_at_once_do_not_see_each_others_views(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    publish(tmp_path, "flow_logs", [flow(HOUR_S + 3_600)])
    lake = Lake(tmp_path)
    with lake.connection(["flow_logs"], end_s=HOUR_S + 10) as one, lake.connection(["flow_logs"]) as both:
        assert one.execute("SELECT count(*) FROM flow_logs").fetchall() == [(1,)]
        assert both.execute("SELECT count(*) FROM flow_logs").fetchall() == [(2,)]
    lake.close()
    assert lake.fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).num_rows == 2


@pytest.mark.parametrize("name", ["it's", "a[1]", "b*", "c?", "d e"])
def test_a_path_is_neither_sql_nor_a_pattern(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    publish(data, "flow_logs", [flow(HOUR_S)])
    assert Lake(data).fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).num_rows == 1


def test_column_types_are_duckdbs() -> None:
    types = column_types(TABLES["metrics"])
    assert (types["timestamp"], types["sum"]) == ("TIMESTAMP WITH TIME ZONE", "DOUBLE")


def test_a_question_under_way_outlives_the_database_that_it_was_put_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queries.lake.QUESTIONS_MAX", 2)
    publish(tmp_path, "flow_logs", [flow(HOUR_S)])
    lake = Lake(tmp_path)
    with lake.connection(["flow_logs"]) as under_way:
        first = lake._database
        for _ in range(5):
            assert lake.fetch("SELECT * FROM flow_logs", tables=["flow_logs"]).num_rows == 1
        assert lake._database is not first
        assert under_way.execute("SELECT count(*) FROM flow_logs").fetchone() == (1,)
    assert lake._questions <= 2
