"""The books of records, by topic: emitted into spools, read by ingest, rows in the manifest, rows in the files.

The manifest is read before the spools, so what a spool has beyond the manifest's last seq is what is still under way.
Files never change, so each is counted once.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gatewatch.bus import spool
from gatewatch.bus.spool import spool_folder
from gatewatch.database.read_only import read_only
from gatewatch.records.tables import BY_TOPIC, REJECTS, TABLES
from ingest.manifest import Manifest, Stream
from queries.file_memory import FileMemory
from queries.hop import Books, Difference, Hop
from queries.lake import Lake, QueryFailed

#: How often manifest and files are read again until nothing was published in between.
READINGS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolTopic:
    """One topic of one spool.  `under_way` is the number of records after the manifest's last seq, None if some of
    those messages are no longer in the spool (they are with the broker)."""

    origin: str
    topic: str
    messages: int
    records: int
    under_way: int | None
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The manifest and the files at one moment; `settled` is False when ingest published while they were read."""

    streams: list[Stream]
    listed: dict[str, int]
    stored: dict[str, int]
    settled: bool


def enter(books: Books, data: Path) -> bool:
    """Enter the books of every topic; whether any record is still under way."""
    lake = Lake(data)
    reading = _read(lake)
    spools = [each for path in sorted(spool_folder(data).glob("*.sqlite")) for each in _spool(path, reading.streams)]
    if not spools and not reading.streams:
        books.notes.append("no service has emitted a record yet")
    for topic, table in BY_TOPIC.items():
        mine = [each for each in spools if each.topic == topic]
        streams = {each.origin: each for each in reading.streams if each.topic == topic}
        if not mine and not streams:
            continue
        chain = f"records of {table.name}"
        for spooled in mine:
            _enter_spool(books, chain, spooled, streams.get(spooled.origin))
        _enter_ingest(books, chain, list(streams.values()))
        _enter_rows(books, chain, table.name, sum(each.rows for each in streams.values()), reading)
    rejected = sum(each.rejected for each in reading.streams)
    if rejected or reading.stored[REJECTS.name]:
        _enter_rows(books, "unreadable records", REJECTS.name, rejected, reading)
        books.notes.append(f"{rejected} records could not be read; they are in the table {REJECTS.name}")
    if not reading.settled:
        books.notes.append("ingest published all the while: rows were not compared this time")
    return any(hop.held for hop in books.hops)


def _enter_spool(books: Books, chain: str, spooled: SpoolTopic, stream: Stream | None) -> None:
    ingested = stream.records if stream else 0
    caught_up = stream is not None and stream.last_seq >= spooled.messages
    lost = stream is not None and stream.gaps > 0
    # What is gone for good can be told from what is under way once the newest message is in, or all of them are known.
    missing = spooled.records - ingested
    held = 0 if caught_up else missing if spooled.under_way is None else spooled.under_way
    dropped = {"lost": missing - held} if lost and missing > held else {}
    books.add(Hop(
        chain=chain, name=f"spool {spooled.origin}", unit="records", received=spooled.records, sent=ingested,
        dropped=dropped, held=held,
    ))
    if stream is not None and stream.gaps:
        books.differences.append(Difference(
            chain=chain, what=f"messages of {spooled.origin} that are missing", expected=0, found=stream.gaps,
        ))
    elif spooled.given_up:
        books.notes.append(f"the spool of {spooled.origin} gave up {spooled.given_up} messages of {spooled.topic}")


def _enter_ingest(books: Books, chain: str, streams: list[Stream]) -> None:
    rejected = sum(each.rejected for each in streams)
    books.add(Hop(
        chain=chain, name="ingest", unit="records", received=sum(each.records for each in streams),
        sent=sum(each.rows for each in streams), dropped={"unreadable": rejected} if rejected else {}, held=0,
    ))
    duplicates = sum(each.duplicates for each in streams)
    if duplicates:
        books.notes.append(f"{chain}: {duplicates} messages came again and were skipped")


def _enter_rows(books: Books, chain: str, table: str, rows: int, reading: _Reading) -> None:
    if not reading.settled:
        return
    books.add(Hop(
        chain=chain, name="manifest", unit="rows", received=rows, sent=reading.listed[table], dropped={}, held=0,
    ))
    books.add(Hop(
        chain=chain, name="files", unit="rows", received=reading.listed[table], sent=reading.stored[table], dropped={},
        held=0,
    ))


def _read(lake: Lake) -> _Reading:
    manifest = Manifest.open_for_reading(lake.manifest_path)
    reading: _Reading | None = None
    gone: FileNotFoundError | None = None
    for _ in range(READINGS_MAX):
        try:
            streams = manifest.streams()
            listed = {table: manifest.row_count(table) for table in TABLES}
            stored = {
                each.table: sum(_row_memory[each.table].of(each.paths)) for each in lake.files(list(TABLES))
            }
            reading = _Reading(streams=streams, listed=listed, stored=stored, settled=manifest.streams() == streams)
        except sqlite3.Error as error:
            raise QueryFailed(f"{lake.manifest_path} cannot be read: {error}") from error
        except FileNotFoundError as error:
            # Merged and deleted since it was listed: the next list does not have it.
            gone = error
            continue
        except (OSError, pa.ArrowException) as error:
            raise QueryFailed(f"a file of the lake cannot be read: {error}") from error
        if reading.settled:
            break
    if reading is None:
        raise QueryFailed(f"a file of the lake cannot be read: {gone}")
    return reading


def _rows(path: str) -> int:
    return int(pq.read_metadata(path).num_rows)


_row_memory = {table: FileMemory(_rows) for table in TABLES}


def _spool(path: Path, streams: list[Stream]) -> list[SpoolTopic]:
    last_seqs = {(each.origin, each.topic): each.last_seq for each in streams}
    try:
        with read_only(path, spool.KIND) as opened:
            opened.execute("begin")
            row = opened.execute("select origin from identity").fetchone()
            if row is None:
                return []
            topics = opened.execute("select topic, last_seq, records, given_up from topics order by topic").fetchall()
            return [
                SpoolTopic(
                    origin=row[0], topic=topic, messages=messages, records=records, given_up=given_up,
                    under_way=_under_way(opened, topic, last_seqs.get((row[0], topic), 0), messages),
                )
                for topic, messages, records, given_up in topics
            ]
    except sqlite3.DatabaseError as error:
        # A service is just making it: the file is there, its tables are not.
        if "no such table" in str(error):
            return []
        raise QueryFailed(f"the spool {path} cannot be read: {error}") from error


def _under_way(spool: sqlite3.Connection, topic: str, last_seq: int, messages: int) -> int | None:
    found, records = spool.execute(
        "select count(*), coalesce(sum(records), 0) from messages where topic = ? and seq > ?", (topic, last_seq)
    ).fetchone()
    return int(records) if found == max(0, messages - last_seq) else None
