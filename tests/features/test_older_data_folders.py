"""Databases that an older gatewatch wrote are opened, migrated and gone on with; nothing is lost or there twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from forwarder.control import store
from gatewatch.bus import spool
from gatewatch.bus.embedded import EmbeddedConsumer
from gatewatch.bus.message import Draft
from gatewatch.bus.spool import Spool, SpoolLimits
from ingest import manifest_layout
from ingest.manifest import Manifest
from ingest.manifest_writer import Commit, ManifestWriter
from queries.alarms import state
from queries.alarms.state import AlarmState, StateValue, read_alarms, read_history

FIXTURES = Path(__file__).parents[1] / "fixtures" / "databases"
TOPIC = "gatewatch.audit-events"


def older(name: str, path: Path) -> Path:
    """The file as version 1 wrote it, before files told what they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FIXTURES / f"{name}.v1.sql").read_text(encoding="utf-8"))
    return path


def test_the_state_store_keeps_its_load_balancer_and_its_revision(tmp_path: Path) -> None:
    opened = store.Store.open(older("state", tmp_path / "state.sqlite"))
    [balancer] = opened.desired().load_balancers
    assert (balancer.name, balancer.subnet_ids, opened.revision()) == ("g", ("subnet-1",), 1)
    opened.close()


def test_a_spool_hands_out_what_was_not_read_and_goes_on_counting(tmp_path: Path) -> None:
    path = older("spool", tmp_path / "spool" / "api.sqlite")
    opened = Spool(path, SpoolLimits(message_bytes_max=1_000, spool_bytes_max=1_000_000, keep_s=0.0))
    consumer = EmbeddedConsumer(path.parent, "ingest", [TOPIC], {f"{TOPIC}:{opened.origin}": 3})
    opened.append([Draft(topic=TOPIC, key="k", value=b"new", records=1, headers={})])
    messages = consumer.poll(5.0, 100)
    assert [message.seq for message in messages] == [3, 4, 5, 6]
    assert {message.origin for message in messages} == {opened.origin}
    assert opened.source_position("outbox.x") == 5
    consumer.close()
    opened.close()


def test_a_manifest_keeps_files_streams_and_gaps(tmp_path: Path) -> None:
    path = older("manifest", tmp_path / "manifest.sqlite")
    before = Manifest.open_for_reading(path).streams()
    writer = ManifestWriter(path)
    writer.commit(Commit(at_s=1.0))
    assert Manifest.open_for_reading(path).streams() == before
    assert [found.name for found in Manifest.open_for_reading(path).files("metrics")] == ["a.parquet"]
    assert writer.missing() == {("alarms.0011aabb", "gatewatch.metrics"): [(2, 2)]}
    writer.close()
    assert (tmp_path / "manifest.sqlite.v1").exists()


def test_alarms_keep_their_state_and_history(tmp_path: Path) -> None:
    path = older("alarms", tmp_path / "alarms.sqlite")
    AlarmState(path).close()
    [alarm] = read_alarms(tmp_path)
    assert (alarm.name, alarm.state) == ("sick", StateValue.ALARM)
    assert len(read_history(tmp_path)) >= 2


@pytest.mark.parametrize(("name", "kind"), [
    ("state", store.KIND), ("spool", spool.KIND), ("manifest", manifest_layout.KIND), ("alarms", state.KIND),
])
def test_every_kind_has_a_file_of_each_version_it_ever_wrote(name: str, kind: object, tmp_path: Path) -> None:
    with closing(sqlite3.connect(older(name, tmp_path / "f.sqlite"))) as connection:
        assert kind.version_of(connection, "f") == 1  # type: ignore[attr-defined]


def test_kinds_are_told_apart() -> None:
    kinds = (store.KIND, spool.KIND, manifest_layout.KIND, state.KIND)
    assert len({kind.application_id for kind in kinds}) == len(kinds)
    assert all(kind.application_id.to_bytes(4, "big").startswith(b"gw") for kind in kinds)
