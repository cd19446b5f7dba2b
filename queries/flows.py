"""The list of flow records and its totals, filtered as a person looks for traffic."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from queries.lake import Lake

#: Most rows of one page of the list.
LIMIT_MAX = 5_000

#: Most different addresses looked through for a CIDR.
ADDRESSES_MAX = 500_000

# Logs in AWS's default format have no packet-level addresses; there the interface's own are all there is.
_SOURCE = "coalesce(pkt_srcaddr, srcaddr)"
_DESTINATION = "coalesce(pkt_dstaddr, dstaddr)"

_SEEN = f"""
    SELECT DISTINCT unnest([{_SOURCE}, {_DESTINATION}]) AS address
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s AND log_status = 'OK'
    LIMIT $limit
"""

_TOTALS = """
    SELECT count(*) AS records, coalesce(sum(packets), 0)::BIGINT AS packets, coalesce(sum(bytes), 0)::BIGINT AS bytes,
           count(*) FILTER (WHERE action = 'REJECT') AS rejected_records,
           coalesce(sum(packets) FILTER (WHERE action = 'REJECT'), 0)::BIGINT AS rejected_packets
    FROM flow_logs
"""


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
    _check(wanted)
    where, parameters = _condition(lake, wanted)
    columns = ", ".join(f'"{name}"' for name in PAGE_COLUMNS)
    order = '"start" DESC, "end" DESC, interface_id, flow_direction, pkt_srcaddr, srcport, pkt_dstaddr, dstport'
    bounds = {"start_s": wanted.start_s, "end_s": wanted.end_s}
    page = f"SELECT {columns} FROM flow_logs WHERE {where} ORDER BY {order} LIMIT $limit OFFSET $offset"
    rows = lake.fetch(
        page, {**parameters, "limit": wanted.limit, "offset": wanted.offset}, tables=["flow_logs"], **bounds
    )
    totals = lake.fetch(f"{_TOTALS} WHERE {where}", parameters, tables=["flow_logs"], **bounds)
    return FlowPage(rows=rows, totals=FlowTotals(**totals.to_pylist()[0]))


def _check(wanted: FlowFilter) -> None:
    if wanted.end_s <= wanted.start_s:
        raise BadFilter("the end of the time range is not after its start")
    if not 1 <= wanted.limit <= LIMIT_MAX or wanted.offset < 0:
        raise BadFilter(f"a page has 1 to {LIMIT_MAX} rows from place 0 on, not {wanted.limit} from {wanted.offset}")
    if wanted.port is not None and not 0 <= wanted.port <= 65_535:
        raise BadFilter(f"a port is 0 to 65535, not {wanted.port}")
    if wanted.protocol is not None and not 0 <= wanted.protocol <= 255:
        raise BadFilter(f"a protocol is 0 to 255, not {wanted.protocol}")


def _condition(lake: Lake, wanted: FlowFilter) -> tuple[str, dict[str, Any]]:
    """The WHERE clause, made of our own text only, and the values for its parameters."""
    parts = ['"start" >= $start_s', '"start" < $end_s', "log_status = 'OK'"]
    values: dict[str, Any] = {"start_s": math.ceil(wanted.start_s), "end_s": math.ceil(wanted.end_s)}
    if wanted.interface != "all":
        parts.append("gw_endpoint_id IS NOT NULL" if wanted.interface == "endpoint" else "gw_endpoint_id IS NULL")
    for column, value in (
        ("action", wanted.action), ("gw_drop_reason", wanted.drop_reason), ("gw_target_id", wanted.target_id),
        ("gw_endpoint_id", wanted.endpoint_id), ("flow_direction", wanted.direction),
    ):
        if value:
            parts.append(f"{column} = ${column}")
            values[column] = value
    if wanted.port is not None:
        parts.append("(srcport = $port OR dstport = $port)")
        values["port"] = wanted.port
    if wanted.protocol is not None:
        parts.append("protocol = $protocol")
        values["protocol"] = wanted.protocol
    if wanted.address:
        parts.append(f"(list_contains($addresses, {_SOURCE}) OR list_contains($addresses, {_DESTINATION}))")
        values["addresses"] = _addresses(lake, wanted)
    return " AND ".join(parts), values


def _addresses(lake: Lake, wanted: FlowFilter) -> list[str]:
    try:
        network = ipaddress.ip_network(wanted.address.strip(), strict=False)
    except ValueError:
        raise BadFilter(f"{wanted.address!r} is no address and no CIDR such as 10.0.2.0/24 or 2001:db8::/32") from None
    if network.num_addresses == 1:
        return [str(network.network_address)]
    found = lake.fetch(
        _SEEN, {"start_s": wanted.start_s, "end_s": wanted.end_s, "limit": ADDRESSES_MAX + 1}, tables=["flow_logs"],
        start_s=wanted.start_s, end_s=wanted.end_s,
    ).column("address").to_pylist()
    if len(found) > ADDRESSES_MAX:
        raise BadFilter(f"more than {ADDRESSES_MAX} addresses in the time range: choose a shorter one for a CIDR")
    return [each for each in found if _address(each) in network]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:  # a line imported from elsewhere: in no network that a person asks for
        return ipaddress.IPv6Address(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChoices:
    """Values seen in the time range, for the filter's menus."""

    drop_reasons: list[str]
    target_ids: list[str]


def choices(lake: Lake, *, start_s: float, end_s: float) -> FlowChoices:
    """What a filter may choose from.  Raises `QueryFailed`."""
    lists = ", ".join(
        f"coalesce(list_sort(list(DISTINCT {column}) FILTER (WHERE {column} IS NOT NULL)), []) AS {name}"
        for column, name in (("gw_drop_reason", "drop_reasons"), ("gw_target_id", "target_ids"))
    )
    found = lake.fetch(
        f'SELECT {lists} FROM flow_logs WHERE "start" >= $start_s AND "start" < $end_s',
        {"start_s": start_s, "end_s": end_s}, tables=["flow_logs"], start_s=start_s, end_s=end_s,
    )
    return FlowChoices(**found.to_pylist()[0])
