"""How old the newest row of a table is, so that "no data", "late data" and "query failed" are three answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatewatch.records.tables import FLOW_LOGS, TABLES
from queries.lake import Lake

#: The newest row is first looked for in files of this last time, which are few.
_RECENT_S = 900.0


class FreshnessState(StrEnum):
    """What a reader may think of a table: nothing in it, newest row older than expected, or up to date."""

    NO_DATA = "no data"
    LATE = "late data"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The newest row of `table`: its time (epoch seconds, None without rows) and age, against `expected_s`."""

    table: str
    newest_s: float | None
    age_s: float | None
    expected_s: float
    state: FreshnessState


def newest(lake: Lake, table: str, *, now_s: float, expected_s: float) -> Freshness:
    """Freshness of a table whose newest row should be at most `expected_s` old.  Raises `QueryFailed`."""
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; tables are {', '.join(sorted(TABLES))}")
    found = _newest_s(lake, table, since_s=now_s - max(expected_s, _RECENT_S))
    if found is None:
        found = _newest_s(lake, table, since_s=None)
    if found is None:
        return Freshness(table=table, newest_s=None, age_s=None, expected_s=expected_s, state=FreshnessState.NO_DATA)
    age_s = now_s - found
    state = FreshnessState.LATE if age_s > expected_s else FreshnessState.FRESH
    return Freshness(table=table, newest_s=found, age_s=age_s, expected_s=expected_s, state=state)


def _newest_s(lake: Lake, table: str, *, since_s: float | None) -> float | None:
    # A flow record's own time is its start; what tells how far the log has come is its end.
    column = '"end" * 1000' if table == FLOW_LOGS.name else f'epoch_ms("{TABLES[table].time_column}")'
    sql = f"SELECT max({column}) AS newest_ms FROM {table}"
    newest_ms = lake.fetch(sql, tables=[table], start_s=since_s).column("newest_ms")[0].as_py()
    return None if newest_ms is None else float(newest_ms) / 1000
