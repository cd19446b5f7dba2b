"""The filtered list of flow records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from queries.flows import LIMIT_MAX, PAGE_COLUMNS, BadFilter, FlowFilter, choices, flows
from queries.lake import Lake
from tests.queries.lake_builder import HOUR_S, balancer_flow, flow, publish

ROWS = [
    flow(HOUR_S, srcport=1),
    flow(HOUR_S + 1, srcport=2, flow_direction="egress", packets=9),
    flow(HOUR_S + 2, srcport=3, action="REJECT", gw_drop_reason="no_target", gw_target_id=None, packets=7),
    flow(HOUR_S + 3, srcport=4, protocol=17, dstport=53, pkt_srcaddr="10.0.2.11", pkt_dstaddr="203.0.113.7"),
    flow(HOUR_S + 4, srcport=5, pkt_srcaddr="2001:db8::1", pkt_dstaddr="2001:db8:1::2", type="IPv6"),
    flow(HOUR_S + 5, srcport=6, gw_endpoint_id="vpce-2", gw_target_id="i-2"),
    flow(HOUR_S + 6, srcport=None, log_status="NODATA", packets=None, bytes=None, action=None),
    balancer_flow(HOUR_S + 7, "i-1", srcport=7),
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    publish(tmp_path, "flow_logs", ROWS[:4])
    publish(tmp_path, "flow_logs", ROWS[4:])
    return Lake(tmp_path)


def ports(lake: Lake, **wanted: Any) -> list[int]:
    page = flows(lake, FlowFilter(**{"start_s": HOUR_S, "end_s": HOUR_S + 60, **wanted}))
    return [row["srcport"] for row in page.rows.to_pylist()]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"interface": "all"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"interface": "balancer"}, [7]),
        ({"start_s": HOUR_S + 1, "end_s": HOUR_S + 3}, [3, 2]),
        ({"action": "REJECT"}, [3]),
        ({"drop_reason": "no_target"}, [3]),
        ({"target_id": "i-2"}, [6]),
        ({"endpoint_id": "vpce-2"}, [6]),
        ({"direction": "egress"}, [2]),
        ({"port": 53}, [4]),
        ({"port": 1}, [1]),
        ({"protocol": 17}, [4]),
        ({"address": "203.0.113.7"}, [4]),
        ({"address": "10.0.2.8/30"}, [6, 4, 3, 2, 1]),
        ({"address": "10.0.2.11/32"}, [4]),
        ({"address": "2001:db8::/48"}, [5]),
        ({"address": "2001:0db8:0::1"}, [5]),
        ({"address": "192.0.2.0/24"}, []),
        ({"limit": 2, "offset": 1}, [5, 4]),
        ({"action": "ACCEPT", "target_id": "i-1", "protocol": 6, "direction": "ingress"}, [5, 1]),
    ],
)
def test_a_filter_chooses_records_newest_first(lake: Lake, wanted: dict[str, Any], expected: list[int]) -> None:
    assert ports(lake, **wanted) == expected


def test_totals_are_of_all_matching_records_whatever_the_page(lake: Lake) -> None:
    page = flows(lake, FlowFilter(start_s=HOUR_S, end_s=HOUR_S + 60, limit=1))
    assert page.rows.num_rows == 1
    assert page.rows.column_names == list(PAGE_COLUMNS)
    totals = page.totals
    assert (totals.records, totals.packets, totals.bytes) == (6, 10 * 4 + 9 + 7, 6_000)
    assert (totals.rejected_records, totals.rejected_packets) == (1, 7)


def test_logs_without_packet_level_addresses_are_found_by_their_own(tmp_path: Path) -> None:
    publish(tmp_path, "flow_logs", [
        flow(HOUR_S, srcaddr="172.31.16.139", pkt_srcaddr=None, pkt_dstaddr=None, gw_endpoint_id=None)
    ])
    assert ports(Lake(tmp_path), address="172.31.0.0/16", interface="all") == [40_000]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"address": "example.com"}, "no address and no CIDR"),
        ({"address": "' OR 1=1"}, "no address and no CIDR"),
        ({"port": 65_536}, "0 to 65535"),
        ({"protocol": 256}, "0 to 255"),
        ({"limit": 0}, "1 to 5000"),
        ({"limit": LIMIT_MAX + 1}, "1 to 5000"),
        ({"offset": -1}, "from place 0"),
        ({"end_s": HOUR_S - 1}, "not after its start"),
    ],
)
def test_a_filter_that_makes_no_sense_is_told_so(lake: Lake, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFilter, match=message):
        ports(lake, **wanted)


def test_text_in_a_filter_is_a_value_and_no_sql(lake: Lake) -> None:
    assert ports(lake, target_id="i-1' OR '1'='1") == []


def test_menus_offer_what_was_seen(lake: Lake) -> None:
    offered = choices(lake, start_s=HOUR_S, end_s=HOUR_S + 60)
    assert offered.drop_reasons == ["no_target"]
    assert offered.target_ids == ["i-1", "i-2"]
    nothing = choices(lake, start_s=0, end_s=1)
    assert (nothing.drop_reasons, nothing.target_ids) == ([], [])
