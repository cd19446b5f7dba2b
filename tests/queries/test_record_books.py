"""The books of records against real spools, a real manifest and real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.bus import Draft, Publisher, open_publisher
from gatewatch.records import topics
from gatewatch.settings import Settings
from ingest.compaction import Compactor
from ingest.manifest import Gap
from ingest.manifest_writer import Commit, ManifestWriter
from queries import record_books
from queries.hop import Books, Hop
from queries.lake import Lake, QueryFailed, TableFiles
from tests.queries.lake_builder import HOUR_S, flow, publish, record_stream


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    opened = open_publisher(Settings(data=str(tmp_path)), "forwarder")
    opened.publish([Draft(topic=topics.FLOW_LOGS, key="k", value=b"a\nb", records=2)] * 3)
    opened.close()
    return opened


def books_of(data: Path) -> tuple[Books, bool]:
    books = Books()
    return books, record_books.enter(books, data)


def named(books: Books, name: str) -> Hop:
    return next(hop for hop in books.hops if hop.name.startswith(name))


def test_all_records_in_the_lake_balance(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 6)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=6, rows=6, last_seq=3)
    books, under_way = books_of(tmp_path)
    assert (books.differences, under_way) == ([], False)
    assert [(hop.received, hop.sent, hop.held) for hop in books.hops] == [(6, 6, 0)] * 4


def test_records_in_the_spool_are_held(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 4)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=2, records=4, rows=4, last_seq=2)
    books, under_way = books_of(tmp_path)
    assert (books.differences, under_way) == ([], True)
    assert named(books, "spool").held == 2


def test_nothing_ingested_yet_is_all_held(tmp_path: Path, publisher: Publisher) -> None:
    books, under_way = books_of(tmp_path)
    assert (books.differences, under_way) == ([], True)
    assert (named(books, "spool").held, named(books, "ingest").received) == (6, 0)


@pytest.mark.parametrize("records", [5, 7])
def test_a_record_too_few_or_too_many_is_a_difference(tmp_path: Path, publisher: Publisher, records: int) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * records)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=records, rows=records, last_seq=3)
    books, _ = books_of(tmp_path)
    [difference] = books.differences
    assert (difference.expected, difference.found) == (6, records)


def test_a_duplicate_row_in_a_file_is_a_difference(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 7)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=6, rows=6, last_seq=3)
    books, _ = books_of(tmp_path)
    assert [(each.expected, each.found) for each in books.differences] == [(6, 7)]


def test_unreadable_records_are_dropped_and_kept_apart(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 5)
    publish(tmp_path, "rejects", [{"time": HOUR_S * 1000, "topic": topics.FLOW_LOGS, "reason": "short"}])
    record_stream(
        tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=6, rows=5, rejected=1, last_seq=3
    )
    books, _ = books_of(tmp_path)
    assert books.differences == []
    assert named(books, "ingest").dropped == {"unreadable": 1}
    assert any("rejects" in note for note in books.notes)


def test_a_file_merged_and_deleted_while_it_is_counted_is_no_failure(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 3)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=6, rows=6, last_seq=3)
    files, now_s, waiting = Lake.files, [HOUR_S + 100.0], [True]
    compactor = Compactor(Settings(data=str(tmp_path), compact_files_min=2, dropped_file_keep_s=1), clock=lambda: now_s[0])

    def merged_behind_the_list(self: Lake, tables: list[str]) -> list[TableFiles]:
        listed = files(self, tables)
        if waiting:
            waiting.clear()
            writer = ManifestWriter(tmp_path / "manifest.sqlite")
            for now_s[0] in (HOUR_S + 100.0, HOUR_S + 200.0):
                compactor.work(writer)
            writer.close()
            assert compactor.counters.files_deleted == 2
        return listed

    monkeypatch.setattr(Lake, "files", merged_behind_the_list)
    books, _ = books_of(tmp_path)
    assert books.differences == []
    assert named(books, "files").sent == 6


def test_a_damaged_file_is_a_failure_with_its_reason(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 6)
    [path] = (tmp_path / "lake").rglob("*.parquet")
    path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(QueryFailed, match="cannot be read"):
        books_of(tmp_path)


def test_a_gap_is_always_a_difference(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 4)
    writer = ManifestWriter(tmp_path / "manifest.sqlite")
    writer.commit(Commit(at_s=HOUR_S, gaps=[
        Gap(origin=publisher.origin, topic=topics.FLOW_LOGS, first_seq=2, last_seq=2, seen_at_s=HOUR_S)
    ]))
    writer.close()
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=2, records=4, rows=4, last_seq=3)
    books, under_way = books_of(tmp_path)
    assert [each.what for each in books.differences] == [f"messages of {publisher.origin} that are missing"]
    assert named(books, "spool").dropped == {"lost": 2}
    assert not under_way


def test_messages_that_came_again_are_noted(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, "flow_logs", [flow(HOUR_S)] * 6)
    record_stream(tmp_path, publisher.origin, topics.FLOW_LOGS, messages=3, records=6, rows=6, duplicates=2, last_seq=3)
    books, _ = books_of(tmp_path)
    assert books.differences == []
    assert "2 messages came again" in books.notes[0]


def test_an_empty_folder_has_a_note(tmp_path: Path) -> None:
    books, under_way = books_of(tmp_path)
    assert (books.hops, under_way, books.notes) == ([], False, ["no service has emitted a record yet"])


def test_a_spool_in_the_making_is_none_and_a_damaged_one_a_failure(tmp_path: Path) -> None:
    spool = tmp_path / "spool" / "api.sqlite"
    spool.parent.mkdir()
    spool.touch()
    assert books_of(tmp_path)[0].hops == []
    spool.write_bytes(b"no database" * 500)
    with pytest.raises(QueryFailed, match="the spool"):
        books_of(tmp_path)
