"""Alarms as they stand, their history and the notifications still to be sent, in `alarms.sqlite` (one writer).

A change of state, its history entry and its notification are one transaction, so that a crash loses none of them and
sends none that did not happen.  History is bounded in age and number, the outbox in number.  The service and its
notifier thread each have a connection of their own.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gatewatch.database.kind import Kind, script
from gatewatch.database.opening import open_database
from gatewatch.database.read_only import read_only
from gatewatch.database.transaction import transaction
from gatewatch.status_file import read_status
from queries.alarms.alarm import AlarmEntry
from queries.alarms.evaluation import StateValue
from queries.alarms.reason import INITIAL
from queries.lake import QueryFailed

__all__ = ["AlarmNow", "AlarmState", "HistoryItem", "Notification", "StateValue", "read_alarms", "read_history"]

T = TypeVar("T")

FILE = "alarms.sqlite"
KIND = Kind(
    name="alarms' file", application_id=0x6777414C, mark="alarms",
    steps=(script(resources.files("queries.alarms").joinpath("state.sql").read_text(encoding="utf-8")),),
    damaged="moved away, every alarm begins anew, without its history",
)

#: CloudWatch keeps alarm history for 30 days.
HISTORY_KEEP_S = 30 * 86_400
HISTORY_ITEMS_MAX = 20_000

#: Most notifications that wait; past it the oldest is given up, which its history says.
OUTBOX_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmNow:
    """An alarm as it stands.  Times are epoch seconds; `reason_data` is CloudWatch's StateReasonData, JSON text.

    `evaluated_s` is when the alarms service last evaluated alarms, None when it never did.
    """

    name: str
    description: str
    namespace: str
    metric_name: str
    dimensions: dict[str, str]
    statistic: str
    period_s: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison_operator: str
    threshold: float
    treat_missing_data: str
    state: StateValue
    reason: str
    reason_data: str
    state_changed_s: float
    configured_s: float
    evaluated_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """An entry of an alarm's history.  `item_type`: ConfigurationUpdate, StateUpdate or Action; `data` is JSON text."""

    id: int
    time_s: float
    alarm_name: str
    item_type: str
    from_state: str
    to_state: str
    summary: str
    reason: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message that waits: `attempts` were made in vain, the next is due at `due_s` (epoch seconds)."""

    id: int
    alarm_name: str
    body: str
    attempts: int
    due_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An alarm's definition and state, as the evaluation needs them."""

    alarm: AlarmEntry
    template: str
    state: StateValue
    reason: str
    reason_data: str
    state_changed_s: float
    configured_s: float


class AlarmState:
    """One connection to the file, made if need be (`BadDatabase`).  Not shared between threads."""

    def __init__(self, path: Path) -> None:
        self._connection = open_database(path, KIND)
        with transaction(self._connection) as connection:
            connection.execute(
                "insert into identity select ? where not exists (select 1 from identity)", (secrets.token_hex(4),)
            )
        self.identity: str = self._connection.execute("select id from identity").fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def stored(self) -> dict[str, Stored]:
        """Every alarm by name."""
        rows = self._connection.execute(
            "select definition, template, state, reason, reason_data, state_changed_s, configured_s from alarms"
            " order by name"
        )
        found = [_stored(row) for row in rows]
        return {each.alarm.name: each for each in found}

    def define(self, alarm: AlarmEntry, *, template: str, now_s: float) -> bool:
        """Make an alarm or change its definition; a new one begins with INSUFFICIENT_DATA.  Whether anything changed.

        An alarm that now watches another series begins anew: its state was the other series'.
        """
        known = self.stored().get(alarm.name)
        if known is not None and known.alarm == alarm and known.template == template:
            return False
        other = known is None or _series(known.alarm) != _series(alarm)
        with transaction(self._connection) as connection:
            connection.execute(
                "insert into alarms values (?, ?, ?, ?, ?, '', ?, ?) on conflict do update set"
                " definition = excluded.definition, template = excluded.template, configured_s = excluded.configured_s",
                (
                    alarm.name, msgspec.json.encode(alarm).decode(), template, StateValue.INSUFFICIENT_DATA, INITIAL,
                    now_s, now_s,
                ),
            )
            if other:
                connection.execute(
                    "update alarms set state = ?, reason = ?, reason_data = '', state_changed_s = ? where name = ?",
                    (StateValue.INSUFFICIENT_DATA, INITIAL, now_s, alarm.name),
                )
            self._note_configuration(connection, alarm, "created" if known is None else "updated", now_s)
        return True

    def delete(self, name: str, *, now_s: float) -> None:
        """Remove an alarm; its history stays."""
        known = self.stored()[name]
        with transaction(self._connection) as connection:
            connection.execute("delete from alarms where name = ?", (name,))
            self._note_configuration(connection, known.alarm, "deleted", now_s)

    def change(
        self, name: str, state: StateValue, *, reason: str, reason_data: str, now_s: float, notification: str | None
    ) -> None:
        """Put an alarm into another state; history and the notification's body go with it."""
        known = self.stored()[name]
        data = {
            "version": "1.0",
            "oldState": _state_data(known.state, known.reason, known.reason_data),
            "newState": _state_data(state, reason, reason_data),
        }
        with transaction(self._connection) as connection:
            connection.execute(
                "update alarms set state = ?, reason = ?, reason_data = ?, state_changed_s = ? where name = ?",
                (state, reason, reason_data, now_s, name),
            )
            self._add_history(
                connection, now_s, name, "StateUpdate", (known.state, state),
                f"Alarm updated from {known.state} to {state}", reason, data,
            )
            if notification is not None:
                self._make_room(connection, now_s)
                connection.execute(
                    "insert into outbox (alarm_name, body, attempts, due_s) values (?, ?, 0, ?)",
                    (name, notification, now_s),
                )

    def waiting(self, *, limit: int = 1) -> list[Notification]:
        """The notifications that are due first."""
        rows = self._connection.execute(
            "select id, alarm_name, body, attempts, due_s from outbox order by due_s, id limit ?", (limit,)
        )
        names = ("id", "alarm_name", "body", "attempts", "due_s")
        return [Notification(**dict(zip(names, row, strict=True))) for row in rows]

    def waiting_count(self) -> int:
        """How many notifications wait."""
        return int(self._connection.execute("select count(*) from outbox").fetchone()[0])

    def attempted(
        self, notification: Notification, *, summary: str, data: dict[str, Any], now_s: float, again_s: float | None
    ) -> None:
        """Note the outcome of an attempt; `again_s` is when the next is due, None when there is none."""
        with transaction(self._connection) as connection:
            if again_s is None:
                connection.execute("delete from outbox where id = ?", (notification.id,))
            else:
                connection.execute(
                    "update outbox set attempts = attempts + 1, due_s = ? where id = ?", (again_s, notification.id)
                )
            self._add_history(connection, now_s, notification.alarm_name, "Action", ("", ""), summary, "", data)

    def history(self, *, alarm_name: str = "", limit: int = 100) -> list[HistoryItem]:
        """The newest entries of one alarm or all, newest first."""
        return _of_alarm(self._connection, alarm_name, limit)

    def history_after(self, position: int, *, limit: int) -> list[HistoryItem]:
        """Entries after a position of the log, oldest first."""
        return _history(self._connection, "id > ?", (position,), "asc", limit)

    def trim(self, *, now_s: float, published: int) -> None:
        """Forget entries that are too old or too many, of those up to the position `published`."""
        with transaction(self._connection) as connection:
            connection.execute(
                "delete from history where id <= ? and (time_s < ? or id <= (select max(id) from history) - ?)",
                (published, now_s - HISTORY_KEEP_S, HISTORY_ITEMS_MAX),
            )

    def _note_configuration(self, connection: sqlite3.Connection, alarm: AlarmEntry, what: str, now_s: float) -> None:
        self._add_history(
            connection, now_s, alarm.name, "ConfigurationUpdate", ("", ""), f'Alarm "{alarm.name}" {what}', "",
            {"version": "1.0", "type": what.removesuffix("d").capitalize(), "alarm": msgspec.to_builtins(alarm)},
        )

    def _make_room(self, connection: sqlite3.Connection, now_s: float) -> None:
        rows = connection.execute(
            "select id, alarm_name from outbox order by id limit max(0, (select count(*) from outbox) - ?)",
            (OUTBOX_MAX - 1,),
        ).fetchall()
        for number, name in rows:
            connection.execute("delete from outbox where id = ?", (number,))
            self._add_history(
                connection, now_s, name, "Action", ("", ""), "Failed to execute action: too many notifications wait",
                "", {"version": "1.0", "error": f"more than {OUTBOX_MAX} notifications wait"},
            )

    def _add_history(
        self, connection: sqlite3.Connection, time_s: float, name: str, item_type: str, states: tuple[str, str],
        summary: str, reason: str, data: dict[str, Any],
    ) -> None:
        connection.execute(
            "insert into history (time_s, alarm_name, item_type, from_state, to_state, summary, reason, data)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (time_s, name, item_type, *states, summary, reason, json.dumps(data)),
        )


def _stored(row: Sequence[Any]) -> Stored:
    definition, template, state, reason, reason_data, state_changed_s, configured_s = row
    return Stored(
        alarm=msgspec.json.decode(definition, type=AlarmEntry), template=template, state=StateValue(state),
        reason=reason, reason_data=reason_data, state_changed_s=state_changed_s, configured_s=configured_s,
    )


def _series(alarm: AlarmEntry) -> tuple[str, str, dict[str, str]]:
    return alarm.namespace, alarm.metric_name, alarm.dimensions


def _state_data(state: str, reason: str, reason_data: str) -> dict[str, Any]:
    content: dict[str, Any] = {"stateValue": state, "stateReason": reason}
    if reason_data:
        content["stateReasonData"] = json.loads(reason_data)
    return content


def _history(
    connection: sqlite3.Connection, where: str, values: Sequence[Any], order: str, limit: int
) -> list[HistoryItem]:
    names = ("id", "time_s", "alarm_name", "item_type", "from_state", "to_state", "summary", "reason", "data")
    rows = connection.execute(
        f"select {', '.join(names)} from history where {where} order by id {order} limit ?", (*values, limit)
    )
    return [HistoryItem(**dict(zip(names, row, strict=True))) for row in rows]


def _of_alarm(connection: sqlite3.Connection, alarm_name: str, limit: int) -> list[HistoryItem]:
    return _history(connection, "? = '' or alarm_name = ?", (alarm_name, alarm_name), "desc", limit)


def _now(stored: Stored, evaluated_s: float | None) -> AlarmNow:
    alarm = stored.alarm
    return AlarmNow(
        name=alarm.name, description=alarm.description, namespace=alarm.namespace, metric_name=alarm.metric_name,
        dimensions=alarm.dimensions, statistic=str(alarm.statistic), period_s=alarm.period_s,
        evaluation_periods=alarm.evaluation_periods, datapoints_to_alarm=alarm.rule.datapoints_to_alarm,
        comparison_operator=str(alarm.comparison_operator), threshold=alarm.threshold,
        treat_missing_data=str(alarm.treat_missing_data), state=stored.state, reason=stored.reason,
        reason_data=stored.reason_data, state_changed_s=stored.state_changed_s, configured_s=stored.configured_s,
        evaluated_s=evaluated_s,
    )


def _read(data: Path, question: Callable[[sqlite3.Connection], list[T]]) -> list[T]:
    path = data / FILE
    if not path.exists():
        return []
    try:
        with read_only(path, KIND) as connection:
            return question(connection)
    except sqlite3.DatabaseError as error:
        # The service is just making it: the file is there, its tables are not.
        if "no such table" in str(error):
            return []
        raise QueryFailed(f"{path} cannot be read: {error}") from error


def read_alarms(data: Path) -> list[AlarmNow]:
    """Every alarm of a data folder, ordered by name; empty when the alarms service never ran.  Raises `QueryFailed`."""
    evaluated_s = (read_status(data, "alarms") or {}).get("evaluated_s")
    rows = _read(data, lambda connection: connection.execute(
        "select definition, template, state, reason, reason_data, state_changed_s, configured_s from alarms"
        " order by name"
    ).fetchall())
    return [_now(_stored(row), evaluated_s) for row in rows]


def read_history(data: Path, *, alarm_name: str = "", limit: int = 100) -> list[HistoryItem]:
    """The newest entries of one alarm or all, newest first.  Raises `QueryFailed`."""
    return _read(data, lambda connection: _of_alarm(connection, alarm_name, limit))
