"""Notifications over a real socket, and what happens when nobody takes them."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gatewatch.settings import Settings
from queries.alarms.alarm import default_alarm
from queries.alarms.notify import Change, Notifier, backoff_s, message, place_of, post
from queries.alarms.state import FILE, AlarmState, StateValue
from tests.queries.lake_builder import BALANCER, GROUP, HOUR_S

ALARM = default_alarm(Settings()).instance({"LoadBalancer": BALANCER, "TargetGroup": GROUP})
CHANGE = Change(
    alarm=ALARM, from_state=StateValue.OK, to_state=StateValue.ALARM, reason="why", changed_s=HOUR_S + 0.25,
    configured_s=HOUR_S - 60,
)


class Receiver:
    """A webhook that answers `status` and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, dict[str, object]]] = []
        self.taken = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.got.append((self.path, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                receiver.taken.set()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook/secret?key=1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[AlarmState]:
    opened = AlarmState(tmp_path / FILE)
    opened.define(ALARM, template="", now_s=HOUR_S)
    opened.change(
        ALARM.name, StateValue.ALARM, reason="why", reason_data="{}", now_s=HOUR_S, notification='{"AlarmName": "a"}'
    )
    yield opened
    opened.close()


def actions(state: AlarmState) -> list[str]:
    return [item.summary for item in reversed(state.history(limit=50)) if item.item_type == "Action"]


def test_the_body_is_cloudwatchs_message() -> None:
    body = json.loads(message(Settings(), CHANGE))
    assert body["AlarmName"] == "gatewatch-unhealthy-hosts-appliances"
    assert (body["OldStateValue"], body["NewStateValue"], body["NewStateReason"]) == ("OK", "ALARM", "why")
    assert body["StateChangeTime"] == "2026-11-23T01:00:00.250+0000"
    assert body["Region"] == "US East (N. Virginia)"
    assert body["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:gatewatch-unhealthy-hosts-appliances"
    trigger = body["Trigger"]
    assert (trigger["Statistic"], trigger["StatisticType"], trigger["Period"]) == ("MAXIMUM", "Statistic", 60)
    assert trigger["Dimensions"] == [
        {"value": BALANCER, "name": "LoadBalancer"}, {"value": GROUP, "name": "TargetGroup"}
    ]
    assert (trigger["TreatMissingData"], trigger["ComparisonOperator"]) == ("missing", "GreaterThanThreshold")


def test_a_notification_is_posted_and_noted(receiver: Receiver, state: AlarmState, tmp_path: Path) -> None:
    notifier = Notifier(tmp_path / FILE, Settings(alarm_webhook=receiver.url))
    assert notifier.send_due(state, HOUR_S)
    assert receiver.got == [("/hook/secret?key=1", {"AlarmName": "a"})]
    assert not notifier.send_due(state, HOUR_S)
    [summary] = actions(state)
    assert summary == f"Successfully executed action {place_of(receiver.url)}"
    assert "secret" not in summary
    assert (notifier.sent, notifier.failed) == (1, 0)


def test_a_refused_notification_is_tried_again_and_given_up(
    receiver: Receiver, state: AlarmState, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 503
    notifier = Notifier(tmp_path / FILE, Settings(alarm_webhook=receiver.url, webhook_attempts_max=3))
    far = 1e12
    assert [notifier.send_due(state, far) for _ in range(4)] == [True, True, True, False]
    assert [summary.split("(")[1].rstrip(")") for summary in actions(state)] == [
        "attempt 1: HTTP status 503; next in 1 s", "attempt 2: HTTP status 503; next in 2 s",
        "attempt 3: HTTP status 503; given up",
    ]
    assert len(receiver.got) == 3
    logged = "".join(capsys.readouterr())
    assert logged.count("the webhook did not take a notification") == 3
    assert "secret" not in logged


def test_the_next_attempt_waits_for_its_time(receiver: Receiver, state: AlarmState, tmp_path: Path) -> None:
    receiver.status = 500
    notifier = Notifier(tmp_path / FILE, Settings(alarm_webhook=receiver.url))
    assert notifier.send_due(state, HOUR_S)
    due_s = state.waiting()[0].due_s
    assert not notifier.send_due(state, due_s - 0.5)
    assert state.waiting()[0].attempts == 1
    # An hour earlier than when it was put off: the clock was set back, and nobody waits for an hour.
    assert notifier.send_due(state, due_s - 3_600)


@pytest.mark.parametrize("status", [301, 302, 404])
def test_what_is_not_taken_is_not_delivered(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert post(receiver.url, "{}", timeout_s=60.0) == f"HTTP status {status}"


def trickle(listener: socket.socket, first: bytes) -> None:
    """Answer one request a byte at a time, for as long as it is listened to."""
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.sendall(first)
        while not select.select([connection], [], [], 0.05)[0] or connection.recv(65_536):
            connection.sendall(b"x")


@pytest.mark.parametrize(
    ("scheme", "first"), [("http", b"HTTP/1.1 200 OK\r\nX-Slow: "), ("https", b"\x16\x03\x03\x3f\xff\x02")],
    ids=["http", "https"],
)
def test_a_receiver_that_answers_a_byte_at_a_time_is_cut_off(scheme: str, first: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener, first))
        thread.start()
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        assert post(url, "{}", timeout_s=0.5) == "no answer within 0.5 s"
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("url", ["http://host:99999/", "http://[::1/", "http://a..b/", "https://host:port/"])
def test_an_address_that_cannot_be_is_given_up_like_any_other(
    url: str, state: AlarmState, tmp_path: Path
) -> None:
    notifier = Notifier(tmp_path / FILE, Settings(alarm_webhook=url, webhook_attempts_max=2))
    assert [notifier.send_due(state, 1e12) for _ in range(3)] == [True, True, False]
    assert actions(state)[-1].endswith("given up)")


def test_a_receiver_that_is_not_there_is_a_problem_and_no_crash() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert "refused" in post(f"http://127.0.0.1:{taken.getsockname()[1]}/", "{}", timeout_s=5.0)
    assert post("http://host.invalid/", "{}", timeout_s=5.0)


def test_what_waited_is_sent_by_the_thread_after_a_restart(
    receiver: Receiver, state: AlarmState, tmp_path: Path
) -> None:
    notifier = Notifier(tmp_path / FILE, Settings(alarm_webhook=receiver.url))
    notifier.start()
    assert receiver.taken.wait(60)
    notifier.stop()
    assert state.waiting_count() == 0
    assert len(actions(state)) == 1


def test_waiting_grows_up_to_a_limit() -> None:
    assert [backoff_s(attempts) for attempts in (1, 2, 3, 7, 20)] == [1, 2, 4, 60, 60]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_time_that_is_up_is_told_alike_whoever_notices_first(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queries.alarms.notify._cut", lambda *_: None)  # the socket's own time ends first
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        assert post(url, "{}", timeout_s=0.1) == "no answer within 0.1 s"
