"""Windows become flow-log lines: exact examples, and sums that agree whatever the window holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forwarder.capture.drop_reason import DropReason
from forwarder.engine.window import AcceptedFlows, RejectedFlows
from forwarder.plan import Plan
from forwarder.telemetry.flow_records import OUTER_BYTES, FlowRecords
from forwarder.telemetry.flow_text import flow_lines
from tests.forwarder.telemetry.conftest import window_of

EXPECTED = Path(__file__).parents[2] / "fixtures" / "flow_logs" / "window.expected.txt"


def records_of(planned: Plan, window: Any) -> dict[str, Any]:
    made = FlowRecords(account_id="123456789012", region="us-east-1")
    return {item.interface_id: item.records for item in made.of(window, planned.nodes)}


def test_the_example_window_gives_the_expected_lines(planned: Plan, example_window: Any) -> None:
    records = records_of(planned, example_window)
    lines = "".join(flow_lines(records[name]).decode() for name in records)
    assert lines == EXPECTED.read_text(encoding="utf-8")


def test_a_window_with_too_many_refused_flows_says_so(planned: Plan, example_window: Any) -> None:
    example_window.skipped = {"vpce-1": 17}
    statuses = records_of(planned, example_window)["eni-endpoint"]["log_status"].to_pylist()
    assert statuses.count("SKIPDATA") == 1
    assert "NODATA" not in statuses


def test_what_could_not_be_delivered_is_refused_on_the_way_out(planned: Plan, example_window: Any) -> None:
    # It was handed over and accepted before, so on the ingress side it has its record already.
    for name, value in {
        "endpoint": "vpce-1", "reason": "deliver_failed", "source_address": "203.0.113.9", "destination_address": "10.0.3.7",
        "source_port": 40_000, "destination_port": 443, "protocol": 6, "ip_version": 4, "packets": 2, "bytes": 120,
        "first_s": example_window.started_s, "last_s": example_window.started_s, "tcp_flags": 0,
    }.items():
        getattr(example_window.lists.rejected, name).append(value)
    (row,) = [
        row for row in records_of(planned, example_window)["eni-endpoint"].to_pylist()
        if row["gw_drop_reason"] == "deliver_failed"
    ]
    assert (row["action"], row["flow_direction"], row["traffic_path"]) == ("REJECT", "egress", 1)
    assert (row["srcaddr"], row["dstaddr"], row["pkt_srcaddr"]) == ("10.0.1.10", "10.0.3.7", "203.0.113.9")
    assert (row["packets"], row["bytes"]) == (2, 120)


def test_an_idle_window_is_one_nodata_record_an_interface(planned: Plan) -> None:
    window = window_of(planned, started_s=60.0, ended_s=120.1)
    for interface_id, table in records_of(planned, window).items():
        (row,) = table.to_pylist()
        assert (row["log_status"], row["interface_id"], row["start"], row["end"]) == ("NODATA", interface_id, 60, 120)
        assert row["srcaddr"] is None
        assert row["action"] is None


_amount = st.integers(0, 10_000)
_flow = st.tuples(st.integers(0, 1), st.sampled_from(["10.1.1.21", "10.1.1.22"]), st.integers(49_152, 49_156),
                  _amount, _amount, _amount, _amount)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flows=st.lists(_flow, max_size=30))
def test_nothing_is_lost_or_doubled(planned: Plan, flows: list[tuple[Any, ...]]) -> None:
    accepted = AcceptedFlows()
    for endpoint, target, port, in_packets, in_bytes, out_packets, out_bytes in flows:
        row = {
            "endpoint": f"vpce-{endpoint + 1}", "target_id": target, "target_address": target,
            "target_zone_id": "use1-az1", "entropy_port": port, "source_address": "203.0.113.1",
            "destination_address": "10.0.3.1", "source_port": 1, "destination_port": 2, "protocol": 17, "ip_version": 4,
            "ingress_packets": in_packets, "ingress_bytes": in_bytes, "egress_packets": out_packets,
            "egress_bytes": out_bytes,
        }
        for name in AcceptedFlows.__slots__:
            getattr(accepted, name).append(row.get(name, 0))
    window = window_of(planned, accepted=accepted)
    records = records_of(planned, window)
    for index, (endpoint, node) in enumerate((("eni-endpoint", "eni-node"), ("eni-endpoint-b", "eni-node-b"))):
        for direction, other, column in (("ingress", "egress", 3), ("egress", "ingress", 5)):
            packets = sum(flow[column] for flow in flows if flow[0] == index)
            inner = sum(flow[column + 1] for flow in flows if flow[0] == index and flow[column])
            assert added(records[endpoint], direction) == (packets, inner)
            assert added(records[node], other) == (packets, inner + OUTER_BYTES * packets)


def test_a_5_tuple_used_twice_in_a_window_is_one_record(planned: Plan) -> None:
    accepted = AcceptedFlows()
    for first_s, last_s, flags in ((1.5, 2.0, 18), (4.0, 7.9, 1)):
        row = {
            "endpoint": "vpce-1", "target_id": "i-1", "target_address": "10.1.1.21", "target_zone_id": "use1-az1",
            "entropy_port": 50_000 + int(first_s), "source_address": "203.0.113.1", "destination_address": "10.0.3.1",
            "source_port": 40_000, "destination_port": 80, "protocol": 6, "ip_version": 4, "ingress_packets": 3,
            "ingress_bytes": 120, "ingress_first_s": first_s, "ingress_last_s": last_s, "ingress_tcp_flags": flags,
        }
        for name in AcceptedFlows.__slots__:
            getattr(accepted, name).append(row.get(name, 0))
    window = window_of(planned, accepted=accepted)
    records = records_of(planned, window)
    (row,) = records["eni-endpoint"].to_pylist()
    assert [row[name] for name in ("packets", "bytes", "start", "end", "tcp_flags")] == [6, 240, 1, 7, 19]
    assert records["eni-node"]["srcport"].to_pylist() == [50_001, 50_004]


def added(table: Any, direction: str) -> tuple[int, int]:
    rows = table.filter(pc.equal(table["flow_direction"], direction))
    return pc.sum(rows["packets"]).as_py() or 0, pc.sum(rows["bytes"]).as_py() or 0


def test_a_packet_of_no_endpoint_is_not_lost_without_a_word(planned: Plan) -> None:
    rejected = RejectedFlows(
        endpoint=["vpce-7"], reason=[DropReason.NO_TARGET], source_address=["10.0.3.1"], destination_address=["203.0.113.1"],
        source_port=[1], destination_port=[2], protocol=[6], ip_version=[4], packets=[1], bytes=[40], first_s=[1.0], last_s=[1.0],
        tcp_flags=[2],
    )
    window = window_of(planned, rejected=rejected)
    with pytest.raises(AssertionError, match="every packet of the window"):
        records_of(planned, window)


def test_an_endpoint_and_a_node_that_went_still_have_the_records_of_their_last_window(planned: Plan, example_window: Any) -> None:
    made = FlowRecords(account_id="123456789012", region="us-east-1")
    list(made.of(window_of(planned), planned.nodes))
    rest = {address: node for address, node in planned.nodes.items() if node.node.interface_id != "eni-node"}
    last = {item.interface_id: item.records for item in made.of(example_window, rest)}
    assert set(last) == {"eni-endpoint", "eni-endpoint-b", "eni-node", "eni-node-b"}
    assert last["eni-node"]["log_status"].to_pylist().count("OK") > 0
    without = [each for each in planned.endpoints if each.endpoint_id != "vpce-1"]
    after = {item.interface_id for item in made.of(window_of(replace(planned, endpoints=tuple(without))), rest)}
    assert after == {"eni-endpoint-b", "eni-node-b"}
