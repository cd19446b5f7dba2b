"""The list of flow records and its totals, filtered as a person looks for traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from queries.lake import Lake

#: Most rows of one page of the list.
LIMIT_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFilter:
    """Which records.  Empty text and None mean any; times are epoch seconds, `start_s <= start < end_s`.

    `address` is an address or a CIDR and matches either end at packet level; `port` and `protocol` match either port;
    `interface` chooses the endpoints' records (each packet once handed over, once returned), the balancer's (GENEVE)
    or both.  NODATA and SKIPDATA lines are left out: the saved query `coverage_gaps` has them.
    """

    start_s: float
    end_s: float
    address: str = ""
    port: int | None = None
    protocol: int | None = None
    action: Literal["", "ACCEPT", "REJECT"] = ""
    drop_reason: str = ""
    target_id: str = ""
    endpoint_id: str = ""
    direction: Literal["", "ingress", "egress"] = ""
    interface: Literal["endpoint", "balancer", "all"] = "endpoint"
    limit: int = 200
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTotals:
    """What all records that the filter matches add up to, whatever the page."""

    records: int
    packets: int
    bytes: int
    rejected_records: int
    rejected_packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPage:
    """One page, newest first.  Columns of `rows`: `PAGE_COLUMNS`."""

    rows: pa.Table
    totals: FlowTotals


#: Columns of a page, AWS's names with underscores; `start_time` and `end_time` are UTC timestamps.
PAGE_COLUMNS = (
    "start_time", "end_time", "interface_id", "flow_direction", "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr",
    "srcport", "dstport", "protocol", "packets", "bytes", "action", "tcp_flags", "gw_endpoint_id", "gw_target_id",
    "gw_drop_reason", "gw_az_id", "log_status",
)


class BadFilter(ValueError):
    """A filter that makes no sense; the message says which part and what is allowed."""


def flows(lake: Lake, wanted: FlowFilter) -> FlowPage:
    """The page and the totals.  Raises `BadFilter` and `QueryFailed`."""
    raise AssertionError("filled in by the next change")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChoices:
    """Values seen in the time range, for the filter's menus."""

    drop_reasons: list[str]
    target_ids: list[str]
    endpoint_ids: list[str]


def choices(lake: Lake, *, start_s: float, end_s: float) -> FlowChoices:
    """What a filter may choose from.  Raises `QueryFailed`."""
    raise AssertionError("filled in by the next change")
