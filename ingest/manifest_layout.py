"""The manifest's tables, and how a manifest came to have them."""

from __future__ import annotations

import sqlite3
import time

from gatewatch.database.kind import Kind, script

_SCHEMA = """
create table files (
  path text primary key, table_name text not null, slot text not null, rows integer not null, bytes integer not null,
  min_ms integer, max_ms integer, added_at_s real not null, dropped_at_s real) strict;
create index files_live on files (table_name, slot) where dropped_at_s is null;
create index files_dropped on files (dropped_at_s) where dropped_at_s is not null;
create table positions (partition text primary key, next_offset integer not null) strict;
create table streams (
  origin text, topic text, messages integer not null, records integer not null, rows integer not null,
  rejected integer not null, duplicates integer not null, last_seq integer not null,
  primary key (origin, topic)) strict;
create table gaps (
  origin text not null, topic text not null, first_seq integer not null, last_seq integer not null,
  seen_at_s real not null) strict;
create table freshness (
  committed_at_s real not null, table_name text not null, lag_s real not null, rows integer not null) strict;
create index freshness_by_time on freshness (committed_at_s);
"""


def _note_when_made(connection: sqlite3.Connection) -> None:
    """Version 2: of a manifest that is in use and did not note when it was made, nothing is known."""
    connection.execute("create table if not exists identity (made_at_s real not null) strict")
    in_use = connection.execute("select exists (select 1 from positions) or exists (select 1 from files)").fetchone()[0]
    connection.execute(
        "insert into identity select ? where not exists (select 1 from identity)", (0.0 if in_use else time.time(),)
    )


KIND = Kind(
    name="manifest", application_id=0x67774D46, mark="files", steps=(script(_SCHEMA), _note_when_made),
    damaged="moved away, the lake's files are unknown: move lake/ away with it",
)
