"""The witnesses contradict books that balance and are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forwarder.inventory import Endpoint
from gatewatch.demo.witnesses import DeviceCounts, contradictions, device_counts
from gatewatch.status_file import write_status

STATUS: dict[str, Any] = {
    "endpoints": [{"id": "vpce-1", "device": "vpce0", "offered": 100, "frames_other": 3, "delivered": 90}],
    "targets": [
        {"target_id": "i-1", "address": "10.1.1.11", "sent_packets": 60, "returned_packets": 55},
        {"target_id": "i-2", "address": "10.1.1.12", "sent_packets": 40, "returned_packets": 35},
    ],
}
KERNEL = DeviceCounts(received=103, sent=90)


def found(data: Path, device: DeviceCounts, counts: dict[str, int]) -> list[str]:
    write_status(data, "forwarder", 0.0, STATUS)
    write_status(data, "appliance-1", 0.0, {"packets": counts})
    return [difference["what"] for difference in contradictions(data, {"vpce-1": device}, {"10.1.1.11": "appliance-1"})]


def test_witnesses_that_agree_say_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, KERNEL, {"received": 60, "returned": 55}) == []


@pytest.mark.parametrize(
    ("device", "counts", "what"),
    [
        (DeviceCounts(received=104, sent=90), {"received": 60, "returned": 55}, "vpce0: packets the kernel received"),
        (DeviceCounts(received=103, sent=91), {"received": 60, "returned": 55}, "vpce0: packets the kernel sent"),
        (KERNEL, {"received": 59, "returned": 55}, "i-1: packets its appliance received"),
        (KERNEL, {"received": 60, "returned": 56}, "i-1: packets its appliance returned"),
    ],
)
def test_each_witness_contradicts(tmp_path: Path, device: DeviceCounts, counts: dict[str, int], what: str) -> None:
    assert found(tmp_path, device, counts) == [what]


def test_returned_packets_that_the_kernel_had_no_room_for_may_be_missing_and_no_more(tmp_path: Path) -> None:
    write_status(tmp_path, "appliance-1", 0.0, {"packets": {"received": 60, "returned": 58}})
    for drops, differences in ((2, 1), (3, 0), (4, 0)):
        write_status(tmp_path, "forwarder", 0.0, {**STATUS, "node_queue_drops": drops})
        assert len(contradictions(tmp_path, {"vpce-1": KERNEL}, {"10.1.1.11": "appliance-1"})) == differences
    write_status(tmp_path, "appliance-1", 0.0, {"packets": {"received": 60, "returned": 54}})
    assert len(contradictions(tmp_path, {"vpce-1": KERNEL}, {"10.1.1.11": "appliance-1"})) == 1, "more came back than it says"


def test_a_device_that_says_nothing_is_a_difference(tmp_path: Path) -> None:
    write_status(tmp_path, "forwarder", 0.0, STATUS)
    (entry,) = contradictions(tmp_path, {}, {})
    assert entry["what"] == "vpce0: no counts to hold against its endpoint's"


def test_an_appliance_that_was_killed_is_no_witness(tmp_path: Path) -> None:
    write_status(tmp_path, "forwarder", 0.0, STATUS)
    assert contradictions(tmp_path, {"vpce-1": KERNEL}, {}) == []


def test_without_a_status_there_is_a_difference(tmp_path: Path) -> None:
    assert [entry["what"] for entry in contradictions(tmp_path, [], {})] == ["the forwarder left no status"]


@pytest.mark.parametrize("address", ["10.1.1.12", "10.1.1.99"])
def test_a_witness_that_says_nothing_is_a_difference(tmp_path: Path, address: str) -> None:
    write_status(tmp_path, "forwarder", 0.0, STATUS)
    if address not in {target["address"] for target in STATUS["targets"]}:
        write_status(tmp_path, "appliance-9", 0.0, {"packets": {"received": 1, "returned": 1}})
    (entry,) = contradictions(tmp_path, {"vpce-1": KERNEL}, {address: "appliance-9"})
    assert entry["what"] == "appliance-9: no counts to hold against its target's"


def test_what_runs_before_counted_is_counted_too(tmp_path: Path) -> None:
    endpoint = {**STATUS["endpoints"][0], "id": "vpce-1"}
    earlier = {"vpce-1": {"offered": 7, "delivered": 6, "frames_other": 1}}
    before = {"packets": {}, "endpoints": earlier, "targets": {"i-1": {"sent_packets": 7, "returned_packets": 6}}}
    write_status(tmp_path, "forwarder", 0.0, {**STATUS, "endpoints": [endpoint], "before": before})
    write_status(tmp_path, "appliance-1", 0.0, {"packets": {"received": 67, "returned": 61}})
    assert contradictions(tmp_path, {"vpce-1": DeviceCounts(received=111, sent=96)}, {"10.1.1.11": "appliance-1"}) == []


@pytest.mark.parametrize(("device", "netns"), [("no-such-dev", ""), ("lo", "no-such-namespace")])
def test_a_device_that_is_gone_is_an_error_of_the_system(device: str, netns: str) -> None:
    endpoint = Endpoint(
        id="vpce-1", interface_id="eni-1", subnet_id="subnet-1", address="10.0.1.10", device=device,
        provider_vpc_id="vpc-2", router_mac="02:00:00:00:00:01", netns=netns,
    )
    with pytest.raises(OSError, match="No such"):
        device_counts(endpoint)
