"""Asking does not make a process grow: not by the files it has read, also those that compaction has replaced since."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatewatch.records.tables import FLOW_LOGS
from ingest.manifest_writer import Commit, LakeFile, ManifestWriter
from queries.lake import Lake
from queries.sql_messages import Request, WorkerSettings
from queries.sql_worker import answer, sandbox
from tests.queries.lake_builder import HOUR_S, flow

#: DuckDB's metadata cache would keep about 90 KB of each.
FILES, WARM_UP_FILES = 600, 100
GROWTH_KB_MAX = 15_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with one small file an hour."""
    data = tmp_path_factory.mktemp("data")
    folder = data / "lake/flow_logs"
    folder.mkdir(parents=True)
    files = []
    for number in range(FILES):
        start_s = HOUR_S + 3600 * number
        rows = pa.Table.from_pylist([flow(start_s)], schema=FLOW_LOGS.schema)
        path = folder / f"{number}.parquet"
        pq.write_table(rows, path, compression="zstd")
        files.append(LakeFile(
            path=str(path.relative_to(data / "lake")), table="flow_logs", slot="s", rows=1, bytes=path.stat().st_size,
            min_ms=start_s * 1000, max_ms=start_s * 1000,
        ))
    writer = ManifestWriter(data / "manifest.sqlite")
    writer.commit(Commit(at_s=HOUR_S, files=files))
    writer.close()
    return data


def resident_kb() -> int:
    """Memory of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def test_the_lakes_questions(data: Path) -> None:
    lake = Lake(data)
    for number in range(FILES):
        if number == WARM_UP_FILES:
            before_kb = resident_kb()
        start_s = HOUR_S + 3600 * number
        found = lake.fetch("SELECT sum(bytes) FROM flow_logs", tables=["flow_logs"], start_s=start_s, end_s=start_s + 3600)
        assert found.num_rows == 1
    assert resident_kb() - before_kb < GROWTH_KB_MAX
    lake.close()


def test_users_sql(data: Path) -> None:
    settings = WorkerSettings(folder=str(data / "lake"), time_s=30, rows_max=10, memory_mb=256)
    database = sandbox(settings)
    for number in range(FILES):
        if number == WARM_UP_FILES:
            before_kb = resident_kb()
        path = data / f"lake/flow_logs/{number}.parquet"
        given = answer(database, settings, Request(sql="SELECT bytes FROM flow_logs", files={"flow_logs": [str(path)]}))
        assert (given.failure, len(given.texts[0])) == (None, 1)
    assert resident_kb() - before_kb < GROWTH_KB_MAX
    database.close()
