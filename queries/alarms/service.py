"""The alarms service: evaluates every `alarm_evaluation_s`, tells the webhook, publishes what happened.

The history in `alarms.sqlite` is the log that `gatewatch.alarms` is made from: the publisher stores the position it has
reached together with the messages, so a restart neither loses nor repeats an event.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from gatewatch.bus import Draft, Publisher, hand_over, open_publisher
from gatewatch.bus.line_drafts import line_drafts
from gatewatch.bus.spool import SpoolHeld
from gatewatch.records import topics
from gatewatch.records.alarm_event import AlarmEvent
from gatewatch.records.metric import Metric
from gatewatch.repeated_error import RepeatedError
from gatewatch.service import stop_event
from gatewatch.settings import Settings
from gatewatch.status_file import write_status
from queries.alarms.alarm import ALARMS_MAX, BadAlarm, load_alarms
from queries.alarms.evaluation import StateValue, evaluate
from queries.alarms.measurement import Clock, Measurement, measure
from queries.alarms.notify import Change, Notifier, message
from queries.alarms.reason import reason_data, reason_text
from queries.alarms.state import FILE, AlarmState, HistoryItem, Stored
from queries.conditions.evaluation import evaluate as evaluate_conditions
from queries.conditions.metrics import ConditionMetrics
from queries.conditions.reading import read
from queries.lake import Lake, QueryFailed

log = structlog.get_logger("alarms")

STATUS_PERIOD_S = 1.0

#: Most history entries put on the bus at once.
PUBLISH_ITEMS_MAX = 500
#: Conditions' metrics that wait for the bus: about an hour of them at a period of a minute.
CONDITION_METRICS_MAX = 2_000

#: An instance of a `for_each` alarm goes when its series was silent for this long (ListMetrics forgets it then, too).
INSTANCE_KEEP_S = 14 * 86_400.0


@dataclass(slots=True, kw_only=True)
class Counts:
    """What the service did since it started; `last_problem` is why the newest evaluation failed, else empty."""

    evaluations: int = 0
    failed: int = 0
    changes: int = 0
    published: int = 0
    evaluation_ms: float = 0.0
    evaluated_s: float | None = None
    last_problem: str = ""


@dataclass(slots=True, kw_only=True)
class Due:
    """When the next evaluation and status are due, by the steady clock, in seconds."""

    evaluate_at_s: float = 0.0
    status_at_s: float = 0.0


class AlarmService:
    """Evaluation, publication and status, driven by whoever calls `tick`.  Close it in the end."""

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        """Reads the definitions (`BadAlarm`) and opens the alarms' file."""
        self.settings = settings
        self.counts = Counts()
        self.definitions = load_alarms(settings)
        self.state = AlarmState(settings.data_path / FILE)
        self.notifier = Notifier(settings.data_path / FILE, settings)
        self._publisher = publisher
        self._lake = Lake(settings.data_path)
        self._condition_metrics: list[Metric] = []
        self._conditions = ConditionMetrics(
            account_id=settings.account_id, region=settings.region, period_s=settings.metrics_period_s)
        self._repeated = RepeatedError(log)
        self._settle_definitions(time.time())

    def tick(self, now_s: float) -> None:
        """Evaluate all alarms as of `now_s` (epoch seconds) and publish what came of it.  Raises `QueryFailed`."""
        began_s = time.perf_counter()
        clock = Clock(
            now_s=now_s, metrics_period_s=self.settings.metrics_period_s, arrival_s=self.settings.alarm_arrival_s
        )
        measurement = measure(self._lake, self.definitions, clock)
        self._settle_instances(measurement, now_s)
        for stored in self.state.stored().values():
            self._evaluate(stored, measurement, clock)
        self.publish(now_s)
        self.counts.evaluations += 1
        self.counts.evaluated_s = now_s
        self.counts.evaluation_ms = (time.perf_counter() - began_s) * 1000
        self.counts.last_problem = ""

    def publish_conditions(self, now_s: float) -> None:
        """What is wrong, as metrics: this service is there when the forwarder is not.

        What the bus does not take waits; alarms are evaluated all the same, and are not said to be stuck for it.
        """
        self._condition_metrics += self._conditions.take(evaluate_conditions(read(self.settings.data_path), now_s), now_s)
        lines = map(msgspec.json.encode, self._condition_metrics)
        drafts = list(line_drafts(topics.METRICS, "alarms", lines, self.settings.message_bytes_max))
        try:
            if drafts:
                self._publisher.publish(drafts)
        except (OSError, sqlite3.Error):
            self._repeated.exception("the bus does not take the conditions' metrics, they wait")
            del self._condition_metrics[:-CONDITION_METRICS_MAX]
        else:
            self._condition_metrics = []

    def publish(self, now_s: float) -> None:
        """Put the history's new entries on the bus, then forget old ones."""
        source = f"alarm-history.{self.state.identity}"
        position = self._publisher.source_position(source)
        while items := self.state.history_after(position, limit=PUBLISH_ITEMS_MAX):
            position = items[-1].id
            self._publisher.publish(self._drafts(items), source=(source, position))
            self.counts.published += len(items)
            self.state.trim(now_s=now_s, published=position)

    def write_status(self, now_s: float) -> None:
        """Replace `status/alarms.json`."""
        counts = self.counts
        by_state = {str(value): 0 for value in StateValue}
        for stored in self.state.stored().values():
            by_state[stored.state] += 1
        write_status(self.settings.data_path, "alarms", now_s, {
            "evaluated_s": counts.evaluated_s, "evaluations": counts.evaluations, "evaluations_failed": counts.failed,
            "evaluation_ms": round(counts.evaluation_ms, 3), "last_problem": counts.last_problem,
            "alarms": by_state, "state_changes": counts.changes, "events_published": counts.published,
            "notifications": {
                "delivered": self.notifier.sent, "failed_attempts": self.notifier.failed,
                "waiting": self.state.waiting_count(),
            },
            "bus": self._publisher.counts(),
        })

    def attempt(self, what: str, act: Callable[[], None]) -> bool:
        """Whether it went well; else the problem is shown in the status, and logged."""
        try:
            act()
        except QueryFailed as error:
            problem = str(error)
            self._repeated.warning("alarms could not be evaluated", problem=problem)
        # The service's outermost loop: a full disk must not keep alarms from being evaluated once there is room again.
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self._repeated.exception(f"the alarms service met an error and goes on: it could not {what}")
        else:
            return True
        self.counts.last_problem = problem
        return False

    def close(self) -> None:
        """Close files; the publisher is the caller's."""
        self.state.close()
        self._lake.close()

    def _settle_definitions(self, now_s: float) -> None:
        """Make the file agree with the definitions; instances of alarms that are still defined stay."""
        wanted = {alarm.name: alarm for alarm in self.definitions}
        for name, stored in self.state.stored().items():
            template = wanted.get(stored.template) if stored.template else None
            if name not in wanted and (template is None or not template.for_each):
                self.state.delete(name, now_s=now_s)
            elif template is not None:
                self.state.define(template.instance(stored.alarm.dimensions), template=template.name, now_s=now_s)
        for alarm in self.definitions:
            if not alarm.for_each:
                self.state.define(alarm, template="", now_s=now_s)

    def _settle_instances(self, measurement: Measurement, now_s: float) -> None:
        known = self.state.stored()
        for name, one in known.items():
            silent_s = now_s - one.state_changed_s
            if one.template and one.state is StateValue.INSUFFICIENT_DATA and silent_s > INSTANCE_KEEP_S:
                self.state.delete(name, now_s=now_s)
        room = ALARMS_MAX - len(known)
        for template in self.definitions:
            if not template.for_each:
                continue
            # Two series may give the same name (a balancer made anew): the one with the newest data has it.
            instances = [template.instance(each.dimensions) for each in measurement.series_of(template)]
            for instance in {each.name: each for each in instances}.values():
                stored = known.get(instance.name)
                if stored is not None and stored.alarm == instance:
                    continue
                if stored is not None or room > 0:
                    room -= stored is None
                    self.state.define(instance, template=template.name, now_s=now_s)

    def _evaluate(self, stored: Stored, measurement: Measurement, clock: Clock) -> None:
        alarm = stored.alarm
        verdict = evaluate(alarm.rule, measurement.datapoints(alarm, clock), stored.state)
        if verdict.state is stored.state:
            return
        reason = reason_text(alarm, verdict, stored.state)
        change = Change(
            alarm=alarm, from_state=stored.state, to_state=verdict.state, reason=reason, changed_s=clock.now_s,
            configured_s=stored.configured_s,
        )
        self.state.change(
            alarm.name, verdict.state, reason=reason, reason_data=reason_data(alarm, verdict, clock.now_s),
            now_s=clock.now_s, notification=message(self.settings, change) if self.settings.alarm_webhook else None,
        )
        self.counts.changes += 1
        self.notifier.wake()

    def _drafts(self, items: list[HistoryItem]) -> list[Draft]:
        """Messages of bounded size; an entry larger than a message may be loses its data, which the file still has."""
        limit = self.settings.message_bytes_max
        return list(line_drafts(topics.ALARMS, "alarms", (_line(item, limit) for item in items), limit))


def _line(item: HistoryItem, bytes_max: int) -> bytes:
    line = msgspec.json.encode(_event(item))
    return line if len(line) <= bytes_max else msgspec.json.encode(msgspec.structs.replace(_event(item), data="{}"))


def _event(item: HistoryItem) -> AlarmEvent:
    return AlarmEvent(
        time=round(item.time_s * 1000), alarm_name=item.alarm_name, item_type=item.item_type,
        from_state=item.from_state, to_state=item.to_state, summary=item.summary, reason=item.reason, data=item.data,
    )


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT.  A bad alarms file, or a second service, ends it with its error message."""
    stop = stop_event()
    try:
        publisher = open_publisher(settings, "alarms")
    except SpoolHeld as error:
        sys.exit(f"gatewatch: {error}")
    try:
        service = AlarmService(settings, publisher)
    except BadAlarm as error:
        publisher.close()
        sys.exit(f"gatewatch: {error}")
    if settings.alarm_webhook:
        service.notifier.start()
    due = Due()
    try:
        while not stop.is_set():
            stop.wait(turn(service, due, time.time(), time.monotonic()))
        service.attempt("publish", lambda: service.publish(time.time()))
        hand_over(publisher)
        service.attempt("write its status", lambda: service.write_status(time.time()))
    finally:
        if settings.alarm_webhook:
            service.notifier.stop()
        service.close()
        publisher.close()


def turn(service: AlarmService, due: Due, now_s: float, steady_s: float) -> float:
    """Do what is due, and say how many seconds nothing is.  `now_s` is the time of the data (epoch seconds).

    When something is due is told by `steady_s`, a clock that nobody sets: set back by an hour, no alarm would be
    evaluated for as long.
    """
    if steady_s >= due.evaluate_at_s:
        due.evaluate_at_s = steady_s + service.settings.alarm_evaluation_s
        service.attempt("look at the conditions", lambda: service.publish_conditions(now_s))
        if not service.attempt("evaluate", lambda: service.tick(now_s)):
            service.counts.failed += 1
    if steady_s >= due.status_at_s:
        due.status_at_s = steady_s + STATUS_PERIOD_S
        service.attempt("write its status", lambda: service.write_status(now_s))
    return max(0.01, min(due.evaluate_at_s, due.status_at_s) - time.monotonic())
