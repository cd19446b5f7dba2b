"""Telemetry knows no data path: records and books of a second one are right, of columns alone."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from typing import Any

import pytest

from forwarder.capture.closed import OUTBOX_ITEMS_MAX, Closed
from forwarder.capture.data_path import DataPath
from forwarder.datapath.network import Network
from forwarder.datapath.portable import PacketLoop
from forwarder.plan import make_plan
from forwarder.telemetry.publishing import Telemetry, View
from forwarder.telemetry.samples import books_of
from gatewatch.bus import Draft
from gatewatch.records import topics
from gatewatch.settings import load
from tests.forwarder.capture.dummy_data_path import DummyDataPath
from tests.forwarder.one_endpoint import INVENTORY, desired

ENDPOINT = INVENTORY.endpoints[0].id


class Bus:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []

    def publish(self, drafts: list[Draft], *, source: Any = None) -> None:
        self.drafts += drafts


@pytest.mark.parametrize("methods", [("follow", "run", "stop")])
def test_both_data_paths_have_the_calls(methods: tuple[str, ...]) -> None:
    for path in (DummyDataPath, PacketLoop):
        assert all(callable(getattr(path, name)) for name in methods)
    made: DataPath = DummyDataPath(queue.Queue(), lambda: 0.0)
    assert made.counters.endpoints == {}


def test_records_and_books_of_a_second_data_path_balance() -> None:
    now_s = [1_800_000_000.0]
    outbox: queue.Queue[Closed] = queue.Queue(OUTBOX_ITEMS_MAX)
    plan = make_plan(desired(), INVENTORY, maglev_slots=251)
    view, bus = View(inventory=INVENTORY, desired=desired(), plan=plan, probe_packets={}), Bus()
    settings = load({"metrics_period_s": "10"}, environment={})
    path = DummyDataPath(outbox, lambda: now_s[0])
    telemetry = Telemetry(settings, outbox, bus, lambda: view, start_s=now_s[0])  # type: ignore[arg-type]
    path.follow(Network(plan=plan, endpoints={}, nodes={}))
    for tick in range(3):
        now_s[0] += 10.0
        path.tick([(ENDPOINT, 40_000 + tick, 443, 10, 1_000, 7, 700), (ENDPOINT, 50_000, 53, 2, 120, 2, 200)], {ENDPOINT: tick})
    path.stop()
    carrying = threading.Thread(target=path.run)
    carrying.start()
    carrying.join()
    telemetry.stop()
    telemetry.run()
    packets: Counter[tuple[str, str]] = Counter()
    for draft in bus.drafts:
        if draft.topic == topics.FLOW_LOGS and draft.key == INVENTORY.endpoints[0].interface_id:
            for row in rows_of(draft):
                if row["log-status"] == "OK":
                    packets[row["flow-direction"], row["action"]] += int(row["packets"])
    assert packets == {("ingress", "ACCEPT"): 36, ("egress", "ACCEPT"): 27, ("ingress", "REJECT"): 3}
    books = books_of(path.counters)
    assert (telemetry.errors, telemetry.windows) == (0, 4)
    assert (books.offered, books.delivered) == (39, 27)
    assert books.offered == books.delivered + sum(books.dropped.values())


def rows_of(draft: Draft) -> list[dict[str, str]]:
    names = [field.strip("${}") for field in draft.headers["format"].split()]
    return [dict(zip(names, line.split(" "), strict=True)) for line in draft.value.decode().split("\n")]


