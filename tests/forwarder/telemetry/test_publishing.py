"""The telemetry thread's work: what each closed window and period puts on the bus."""

from __future__ import annotations

import json
import queue
from collections import Counter
from typing import Any

import pytest

from forwarder.capture.closed import Closed
from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.desired import Desired, LoadBalancer
from forwarder.inventory import Inventory
from forwarder.plan import make_plan
from forwarder.telemetry import publishing
from forwarder.telemetry.publishing import Telemetry, View, sample_length_s
from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.settings import load

START_S = 1795399200.0
DESIRED = Desired(revision=1, load_balancers=(LoadBalancer(
    arn="arn:lb:loadbalancer/gwy/g/1", name="g", vpc_id="vpc-provider", subnet_ids=("subnet-node",),
),))


class FakePublisher:
    """A bus that fails as often as it is told to."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.failures = 0

    def publish(self, drafts: Any, *, source: Any = None) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        self.drafts += drafts


@pytest.fixture
def telemetry(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> tuple[Telemetry, FakePublisher, queue.Queue[Closed]]:
    monkeypatch.setattr(publishing, "RETRY_S", 0.001)
    plan = make_plan(DESIRED, inventory, maglev_slots=251)
    view = View(inventory=inventory, desired=DESIRED, plan=plan, probe_packets={})
    outbox: queue.Queue[Closed] = queue.Queue()
    publisher = FakePublisher()
    made = Telemetry(
        load({"metrics_period_s": "60"}, environment={}), outbox, publisher, lambda: view,  # type: ignore[arg-type]
        start_s=START_S,
    )
    return made, publisher, outbox


def closed(end_s: float, offered: int, window: Any = None, *, last: bool = False) -> Closed:
    counters = EngineCounters(
        endpoints={"vpce-1": EndpointCounters(offered=offered, sent=offered, load_balancer="gwy/g/1", zone="us-east-1a")}, targets=[],
        refused_unattributed={}, flows=0,
    )
    return Closed(end_s=end_s, counters=counters, window=window, last=last)


def metric_sums(drafts: list[Draft]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for draft in drafts:
        if draft.topic == topics.METRICS:
            for line in draft.value.split(b"\n"):
                metric = json.loads(line)
                if metric["namespace"] == "Gatewatch":
                    sums[metric["metric_name"]] += metric["value"]["sum"]
    return sums


def test_metrics_come_at_the_end_of_a_period_and_at_the_end_of_the_run(telemetry: Any) -> None:
    made, _, _ = telemetry
    assert made.drafts_of(closed(START_S + 10.1, 5)) == []
    first = made.drafts_of(closed(START_S + 60.1, 9))
    assert metric_sums(first)["PacketsOffered"] == 9
    stamps = {json.loads(line)["timestamp"] for line in first[0].value.split(b"\n")}
    assert stamps == {int(START_S * 1000)}
    last = made.drafts_of(closed(START_S + 63.0, 12, last=True))
    assert metric_sums(last)["PacketsOffered"] == 3


def gateway_values(drafts: list[Draft]) -> dict[str, dict[str, float]]:
    """Statistic sets of the load balancer's own AWS/GatewayELB metrics."""
    lines = [json.loads(line) for draft in drafts if draft.topic == topics.METRICS for line in draft.value.split(b"\n")]
    return {
        line["metric_name"]: line["value"] for line in lines
        if line["namespace"] == "AWS/GatewayELB" and set(line["dimensions"]) == {"LoadBalancer"}
    }


@pytest.mark.parametrize("window_s", [1, 7, 10, 60])
def test_a_bucket_is_ten_seconds_long_whatever_the_capture_window_is(telemetry: Any, window_s: int) -> None:
    made, _, _ = telemetry
    boundaries = sorted({*range(window_s, 61, window_s), *range(10, 61, 10)})
    drafts = [draft for end_s in boundaries for draft in made.drafts_of(closed(START_S + end_s + 0.01, 100 * end_s))]
    values = gateway_values(drafts)
    assert values["PeakPacketsPerSecond"] == pytest.approx({"count": 6, "sum": 600, "min": 100, "max": 100}, rel=0.01)


def test_metrics_go_on_when_the_clock_was_set_back(telemetry: Any) -> None:
    made, _, _ = telemetry
    made.drafts_of(closed(START_S + 60.1, 9))
    assert metric_sums(made.drafts_of(closed(START_S - 3_540.0, 11)))["PacketsOffered"] == 2
    assert metric_sums(made.drafts_of(closed(START_S - 3_480.0, 14)))["PacketsOffered"] == 3


def test_a_window_becomes_one_message_an_interface_or_more(telemetry: Any, example_window: Any) -> None:
    made, _, _ = telemetry
    example_window.endpoints = {each.endpoint_id: each for each in made._view().plan.endpoints}
    drafts = made.drafts_of(closed(START_S + 60.1, 9, example_window))
    flows = [draft for draft in drafts if draft.topic == topics.FLOW_LOGS]
    # The load balancer has no subnet in the second zone, so its node there has no interface to speak of.
    assert [draft.key for draft in flows] == ["eni-endpoint", "eni-endpoint-b", "eni-node"]
    assert made.windows == 1


def test_everything_in_the_outbox_is_published_before_the_thread_ends(telemetry: Any, example_window: Any) -> None:
    made, publisher, outbox = telemetry
    publisher.failures = 3
    outbox.put(closed(START_S + 60.1, 9, example_window))
    outbox.put(closed(START_S + 70.0, 11, last=True))
    made.stop()
    made.run()
    assert made.errors == 3
    assert metric_sums(publisher.drafts)["PacketsOffered"] == 11
    assert made.records == {
        topic: sum(draft.records for draft in publisher.drafts if draft.topic == topic)
        for topic in (topics.FLOW_LOGS, topics.METRICS)
    }


def test_a_bus_that_stays_broken_does_not_keep_the_process_from_ending(telemetry: Any) -> None:
    made, publisher, outbox = telemetry
    publisher.failures = 1000
    outbox.put(closed(START_S + 60.1, 9))
    made.stop()
    made.run()
    assert publisher.drafts == []
    assert made.errors == publishing.STOP_ATTEMPTS_MAX


@pytest.mark.parametrize(("period_s", "bucket_s"), [(60, 10), (10, 10), (5, 5), (1, 1), (15, 5), (7, 7), (59, 1)])
def test_a_bucket_divides_the_period_and_is_at_most_ten_seconds(period_s: int, bucket_s: int) -> None:
    assert sample_length_s(period_s) == bucket_s


def test_records_that_cannot_be_made_do_not_cost_the_metrics(telemetry: Any) -> None:
    made, publisher, outbox = telemetry
    outbox.put(closed(START_S + 60.1, 9, window=object()))
    made.stop()
    made.run()
    assert made.errors == 1
    assert metric_sums(publisher.drafts)["PacketsOffered"] == 9


@pytest.mark.parametrize("sides", [("accepted",), ("rejected",)], ids=["only refused", "only accepted"])
def test_a_window_in_which_only_one_thing_happened_is_told_whole(
    telemetry: Any, example_window: Any, sides: tuple[str, ...]
) -> None:
    for side in sides:
        setattr(example_window.lists, side, type(getattr(example_window.lists, side))())
    made, _, _ = telemetry
    drafts = [draft for draft in made.drafts_of(closed(START_S + 60.1, 9, example_window)) if draft.topic == topics.FLOW_LOGS]
    assert drafts
    for draft in drafts:
        assert all(line.startswith(b"5 ") for line in draft.value.split(b"\n"))
