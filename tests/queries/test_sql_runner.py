"""Users' SQL end to end, through the process: results, limits, errors, and that nothing can be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gatewatch.settings import Settings
from queries.sql_runner import SqlError, SqlRunner, run_sql
from queries.sql_worker import MESSAGE_CHARACTERS_MAX
from tests.queries.lake_builder import HOUR_S, flow, publish, unhealthy
from tests.queries.statements import blocks


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("data")
    publish(data, "flow_logs", [flow(HOUR_S + second, bytes=second) for second in range(50)])
    publish(data, "flow_logs", [flow(HOUR_S + 60, action="REJECT", gw_drop_reason="no_target")])
    publish(data, "metrics", [unhealthy(HOUR_S, 1.0)])
    return Settings(data=str(data), sql_time_s=60.0, sql_memory_mb=128, sql_rows_max=20)


@pytest.fixture(scope="module")
def runner(settings: Settings) -> Iterator[SqlRunner]:
    with SqlRunner(settings) as warm:
        yield warm


def files(settings: Settings) -> list[str]:
    return sorted(str(path) for path in settings.data_path.rglob("*"))


@pytest.mark.parametrize(("expected", "statement"), blocks("allowed.sql"))
def test_reading_statements_give_rows(runner: SqlRunner, expected: str, statement: str) -> None:
    assert len(runner.run(statement)) == int(expected.split()[0])


@pytest.mark.parametrize(("expected", "statement"), blocks("refused.sql"))
def test_no_statement_writes_or_reads_elsewhere(
    runner: SqlRunner, settings: Settings, tmp_path: Path, expected: str, statement: str
) -> None:
    outside = tmp_path / "outside.csv"
    before = files(settings)
    with pytest.raises(SqlError) as caught:
        runner.run(statement.replace("LAKE", str(settings.data_path / "lake")).replace("OUTSIDE", str(outside)))
    assert caught.value.kind == expected.split(":")[0]
    assert files(settings) == before
    assert not outside.exists()


@pytest.mark.parametrize("statement", [
    "EXPLAIN ANALYZE SELECT * FROM flow_logs", "EXPLAIN (FORMAT json) SELECT * FROM flow_logs", "SELECT * FROM duckdb_tables()",
    "SELECT * FROM information_schema.tables", "SELECT * FROM duckdb_columns()", "DESCRIBE flow_logs", "SHOW ALL TABLES",
    "SUMMARIZE flow_logs",
])
def test_nothing_tells_where_the_server_keeps_its_files(runner: SqlRunner, settings: Settings, statement: str) -> None:
    # The box of a plan may break a path into lines.
    shown = "".join(str(runner.run(statement).records()).replace("│", "").split())
    assert settings.data_path.name not in shown
    assert settings.data_path.parent.name not in shown


def test_an_error_names_a_file_from_the_lakes_folder_on(tmp_path: Path) -> None:
    path = publish(tmp_path / "secret", "flow_logs", [flow(HOUR_S)])
    path.write_bytes(b"no Parquet at all")
    with pytest.raises(SqlError) as caught:
        run_sql(Settings(data=str(tmp_path / "secret")), "SELECT * FROM flow_logs")
    assert path.name in caught.value.message
    assert "secret" not in caught.value.message


def test_a_result_has_columns_types_and_time(runner: SqlRunner) -> None:
    result = runner.run("SELECT count(*) AS n, max(start_time) AS newest FROM flow_logs")
    assert result.columns == ["n", "newest"]
    assert result.types == ["BIGINT", "TIMESTAMP WITH TIME ZONE"]
    assert result.records() == [{"n": "51", "newest": "2026-11-23 01:01:00+00"}]
    assert 0 < result.elapsed_s < 60
    assert not result.truncated


def test_rows_are_cut_off_at_the_limit(runner: SqlRunner) -> None:
    result = runner.run("SELECT * FROM flow_logs")
    assert (len(result), result.truncated) == (20, True)
    exact = runner.run("SELECT * FROM flow_logs LIMIT 20")
    assert (len(exact), exact.truncated) == (20, False)


@pytest.mark.parametrize(
    ("statement", "kind", "line"),
    [
        ("SELECT foo\nFROM flow_logs", "name", 1),
        ("SELECT\n 'a'::INTEGER", "type", 2),
        ("SELECT 1 +", "syntax", 1),
        ("SELECT list(i) FROM range(1000000000) AS t(i)", "memory", None),
        ("SELECT repeat('x', 1000000000)", "memory", None),
        ("SELECT * FROM flow_logs WHERE start = $1", "type", None),
    ],
)
def test_an_error_is_of_a_kind_and_the_process_goes_on(
    runner: SqlRunner, statement: str, kind: str, line: int | None
) -> None:
    with pytest.raises(SqlError) as caught:
        runner.run(statement)
    assert (caught.value.kind, caught.value.line) == (kind, line)
    assert runner.run("SELECT 1 AS one").records() == [{"one": "1"}]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT '\ud83d'", "syntax"),
        ("SELECT " + "1+" * 450 + "1", "syntax"),
        ("SELECT error('{\"position\":\"x\"}')", "type"),
        ("SELECT error('{' || repeat('[', 100000))", "type"),
    ],
)
def test_what_cannot_be_read_is_told_by_the_same_process(runner: SqlRunner, statement: str, kind: str) -> None:
    runner.start()
    before = runner._process
    with pytest.raises(SqlError) as caught:
        runner.run(statement)
    assert caught.value.kind == kind
    assert runner._process is before
    assert before is not None
    assert before.poll() is None


def test_a_message_has_a_longest_length(runner: SqlRunner) -> None:
    with pytest.raises(SqlError) as caught:
        runner.run("SELECT error(repeat('x', 1000000))")
    assert len(caught.value.message) == MESSAGE_CHARACTERS_MAX


def test_memory_that_one_statement_took_is_there_for_the_next(settings: Settings) -> None:
    with SqlRunner(msgspec.structs.replace(settings, sql_memory_mb=256)) as runner:
        for statement in ("SELECT repeat('x', 30000000) FROM range(100)", "SELECT " + ",".join(["1"] * 40_000)):
            with pytest.raises(SqlError) as caught:
                runner.run(statement)
            assert caught.value.kind == "memory"
            assert len(runner.run("SELECT 1 AS one")) == 1


def test_a_statement_hidden_behind_a_carriage_return_does_not_run(runner: SqlRunner) -> None:
    with pytest.raises(SqlError, match="only a statement that reads"):
        runner.run("--a\rATTACH ':memory:' AS evil;\nSELECT 1")
    assert runner.run("SHOW DATABASES").records() == [{"database_name": "memory"}]


def test_a_statement_that_takes_too_long_is_stopped(settings: Settings) -> None:
    with SqlRunner(msgspec.structs.replace(settings, sql_time_s=2.0)) as runner:
        with pytest.raises(SqlError, match="longer than 2 s") as caught:
            runner.run("SELECT count(*) FROM range(1000000000000) AS t(i) WHERE i % 7 = 3")
        assert caught.value.kind == "time"
        assert len(runner.run("SELECT 1 AS one")) == 1


def test_a_process_that_does_not_notice_that_time_is_up_is_killed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.sql_runner.GRACE_S", 0.0)
    with SqlRunner(msgspec.structs.replace(settings, sql_time_s=0.2, sql_memory_mb=2_048)) as runner:
        with pytest.raises(SqlError) as caught:
            runner.run("SELECT repeat('x', 1500000000)")
        assert caught.value.kind in ("time", "memory")
        # Its successor has time: a busy machine may need more than 0.2 s to answer anything.
        runner._settings = msgspec.structs.replace(settings, sql_time_s=60.0)
        assert len(runner.run("SELECT 1 AS one")) == 1


def test_a_process_that_dies_is_told_and_replaced(settings: Settings) -> None:
    with SqlRunner(settings) as runner:
        runner.start()
        process = runner._process
        assert process is not None
        os.kill(process.pid, 9)
        process.wait()
        assert len(runner.run("SELECT 1 AS one")) == 1


def test_new_files_are_seen_by_the_warm_process(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    with SqlRunner(settings) as runner:
        assert len(runner.run("SELECT * FROM flow_logs")) == 0
        publish(tmp_path, "flow_logs", [flow(HOUR_S)])
        assert len(runner.run("SELECT * FROM flow_logs")) == 1


def test_a_file_that_is_gone_is_an_error_and_not_an_empty_table(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)]).unlink()
    with pytest.raises(SqlError) as caught:
        run_sql(Settings(data=str(tmp_path)), "SELECT * FROM flow_logs")
    assert caught.value.kind == "failed"


def test_one_statement_needs_no_runner(settings: Settings) -> None:
    wide = msgspec.structs.replace(settings, sql_rows_max=1_000, sql_time_s=60.0)
    assert len(run_sql(wide, "SELECT sum(bytes) AS bytes FROM flow_logs")) == 1
