"""Telling a webhook about changes of state: CloudWatch's SNS message as the body, retries, outcomes in the history.

Notifications wait in the alarms' file, so they survive a restart; a thread of its own sends them, so that a slow
receiver never holds up an evaluation.  Delivery is at least once: a crash between sending and noting it sends again.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import structlog

from gatewatch.settings import Settings
from queries.alarms.alarm import AlarmEntry
from queries.alarms.evaluation import StateValue
from queries.alarms.reason import time_text
from queries.alarms.state import AlarmState, Notification

#: The first wait after a failed attempt, doubled each time up to the second.
BACKOFF_FIRST_S = 1.0
BACKOFF_S_MAX = 60.0
#: How often the thread looks by itself.
LOOK_S = 1.0

_LATE = "no answer within {:g} s"
_REGION_NAMES = {
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)", "eu-west-1": "EU (Ireland)", "eu-central-1": "EU (Frankfurt)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of state to tell about; times are epoch seconds."""

    alarm: AlarmEntry
    from_state: StateValue
    to_state: StateValue
    reason: str
    changed_s: float
    configured_s: float


def message(settings: Settings, change: Change) -> str:
    """The body: the JSON text that CloudWatch puts into the `Message` of an SNS notification."""
    alarm = change.alarm
    return json.dumps({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description or None,
        "AWSAccountId": settings.account_id,
        "AlarmConfigurationUpdatedTimestamp": time_text(change.configured_s),
        "NewStateValue": change.to_state,
        "NewStateReason": change.reason,
        "StateChangeTime": time_text(change.changed_s),
        "Region": _REGION_NAMES.get(settings.region, settings.region),
        "AlarmArn": f"arn:aws:cloudwatch:{settings.region}:{settings.account_id}:alarm:{alarm.name}",
        "OldStateValue": change.from_state,
        "OKActions": [], "AlarmActions": [], "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": alarm.metric_name, "Namespace": alarm.namespace, "StatisticType": "Statistic",
            "Statistic": str(alarm.statistic).upper(), "Unit": alarm.unit or None,
            "Dimensions": [{"value": value, "name": name} for name, value in sorted(alarm.dimensions.items())],
            "Period": alarm.period_s, "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.rule.datapoints_to_alarm, "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold, "TreatMissingData": alarm.treat_missing_data,
            "EvaluateLowSampleCountPercentile": "",
        },
    })


def backoff_s(attempts: int) -> float:
    """How long to wait after `attempts` attempts in vain."""
    return float(min(BACKOFF_FIRST_S * 2 ** (attempts - 1), BACKOFF_S_MAX))


def post(url: str, body: str, *, timeout_s: float) -> str:
    """Send one message; empty when the receiver took it (2xx), else what went wrong.  Redirects are not followed.

    `timeout_s` is for the whole attempt (looking up the name apart): a receiver may answer a byte at a time for ever.
    """
    late = threading.Event()
    try:
        parts = urlsplit(url)
        connection = _connect(parts, timeout_s)
        watch = threading.Timer(timeout_s, _cut, (connection.sock, late))
        watch.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            status = _answer(connection, path, body)
        finally:
            watch.cancel()
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: an address that cannot be
        # The socket's own time may end a moment before the watch's.
        slow = late.is_set() or isinstance(error, TimeoutError)
        return _LATE.format(timeout_s) if slow else f"{type(error).__name__}: {error}"
    if late.is_set():  # http.client takes what it had until it was cut off for the whole
        return _LATE.format(timeout_s)
    return "" if 200 <= status < 300 else f"HTTP status {status}"


def _connect(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    """A connection with an open socket; TLS has not begun, so that it counts as part of the attempt."""
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=timeout_s)
        opened = socket.create_connection((host, connection.port), timeout_s)
        connection.sock = ssl.create_default_context().wrap_socket(
            opened, server_hostname=host, do_handshake_on_connect=False
        )
        return connection
    plain = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    plain.connect()
    return plain


def _answer(connection: http.client.HTTPConnection, path: str, body: str) -> int:
    if isinstance(connection.sock, ssl.SSLSocket):
        connection.sock.do_handshake()
    connection.request("POST", path, body.encode(), {"Content-Type": "application/json", "User-Agent": "gatewatch"})
    return connection.getresponse().status


def _cut(opened: socket.socket, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def place_of(url: str) -> str:
    """The receiver for people to read: without path and password, which may be secrets."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "an address that cannot be"


def deliver(
    state: AlarmState, notification: Notification, settings: Settings, *, problem: str, now_s: float
) -> None:
    """Note the outcome of an attempt (`problem` is empty when it went well) and when the next one is due."""
    attempts = notification.attempts + 1
    last = attempts >= settings.webhook_attempts_max
    place = place_of(settings.alarm_webhook)
    data: dict[str, Any] = {
        "version": "1.0", "actionState": "Failed" if problem else "Succeeded", "notificationResource": place,
        "attempt": attempts, "attemptsMax": settings.webhook_attempts_max, "error": problem or None,
    }
    if not problem:
        summary = f"Successfully executed action {place}"
    else:
        again = "given up" if last else f"next in {backoff_s(attempts):g} s"
        summary = f"Failed to execute action {place} (attempt {attempts}: {problem}; {again})"
    state.attempted(
        notification, summary=summary, data=data, now_s=now_s,
        again_s=None if not problem or last else now_s + backoff_s(attempts),
    )


class Notifier:
    """The thread that sends what waits.  `wake` it after a change; it also looks by itself once a second."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """`path` is the alarms' file.  Nothing runs before `start`."""
        self._path = path
        self._settings = settings
        self._event = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self.sent = 0
        self.failed = 0

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._event.set()

    def stop(self) -> None:
        """End after the attempt under way; what is not delivered waits for the next start."""
        self._stopped = True
        self._event.set()
        self._thread.join(self._settings.webhook_time_s + 1)

    def send_due(self, state: AlarmState, now_s: float) -> bool:
        """Make one attempt if one is due; whether there was one."""
        waiting = state.waiting()
        # One that is due later than any wait lasts was put off before the clock was set back.
        if not waiting or now_s < waiting[0].due_s <= now_s + BACKOFF_S_MAX:
            return False
        problem = post(self._settings.alarm_webhook, waiting[0].body, timeout_s=self._settings.webhook_time_s)
        deliver(state, waiting[0], self._settings, problem=problem, now_s=time.time())
        self.sent += not problem
        self.failed += bool(problem)
        if problem:
            structlog.get_logger("alarms").warning(
                "the webhook did not take a notification", receiver=place_of(self._settings.alarm_webhook), problem=problem,
                attempt=waiting[0].attempts + 1, attempts_max=self._settings.webhook_attempts_max,
            )
        return True

    def _run(self) -> None:
        log = structlog.get_logger("alarms")
        state = AlarmState(self._path)
        wait_s = LOOK_S
        try:
            while not self._stopped:
                try:
                    if self.send_due(state, time.time()):
                        wait_s = LOOK_S
                        continue
                # The thread's outermost loop.  What was sent could not be noted, perhaps, and is sent again: not often.
                except Exception:
                    self.failed += 1
                    wait_s = min(2 * wait_s, BACKOFF_S_MAX)
                    log.exception("a notification could not be handled", next_s=wait_s)
                else:
                    wait_s = LOOK_S
                self._event.wait(wait_s)
                self._event.clear()
        finally:
            state.close()
