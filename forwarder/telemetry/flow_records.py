"""A closed capture window becomes flow records of every interface: endpoints first, then the balancer's nodes.

How each interface sees a packet (VPC User Guide "Flow log records"; AWS shows no sample for these interfaces, see
docs/decisions/0030-flow-records-of-a-gateway.md):

- the endpoint sees it *ingress* when the route table hands it over and *egress* when it comes back; as with any
  middlebox the interface's own address stands on its own side and the packet's addresses are in `pkt-*`;
- the node sees UDP: to the target *egress*, back *ingress*, destination port 6081 both ways, 68 bytes longer;
- what the gateway refused is one REJECT record on the endpoint's ingress side, and what came back and could not be
  delivered is one on its egress side, since it was accepted on ingress before.

No I/O and no clock; columns in, columns out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forwarder.capture.drop_reason import DropReason
from forwarder.capture.window import CapturedWindow
from forwarder.plan import EndpointPlan, NodePlan
from forwarder.telemetry.flow_text import SCHEMA

#: Bytes that GENEVE puts before an inner packet: IPv4 20, UDP 8, GENEVE 8, Amazon's options 32.
OUTER_BYTES = 68
GENEVE_PORT = 6081
UDP = 17
#: Highest version among the fields of the format.
RECORD_VERSION = 5
PATH_SAME_VPC, PATH_INTERNET_GATEWAY = 1, 8

_TYPES = {4: "IPv4", 6: "IPv6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRecords:
    """The records of one interface in one window."""

    interface_id: str
    records: pa.Table


class FlowRecords:
    """Writes a window's records for every interface there was in it."""

    def __init__(self, *, account_id: str, region: str) -> None:
        self._constant = {"version": RECORD_VERSION, "account_id": account_id, "region": region}
        # The node that each endpoint used last: one whose load balancer was just deleted may still have traffic to show.
        self._node_of: dict[str, NodePlan] = {}

    def of(self, window: CapturedWindow, nodes: Mapping[str, NodePlan]) -> Iterator[InterfaceRecords]:
        """Records of the window, interface by interface; each interface has at least one.

        `nodes` are those there are, by address; one that no load balancer has and no endpoint used has no records.
        """
        accepted, rejected = window.accepted, window.rejected
        found = 0
        for endpoint, planned in window.endpoints.items():
            made = self._of_endpoint(
                planned, window, _of(accepted, endpoint), _of(rejected, endpoint), window.skipped.get(endpoint, 0),
            )
            found += pc.sum(made.records["packets"]).as_py() or 0
            yield made
        assert found == sum(
            pc.sum(column).as_py() or 0
            for column in (accepted["ingress_packets"], accepted["egress_packets"], rejected["packets"])
        ), "every packet of the window is in a record"
        for node, endpoints in self._nodes_of(window, nodes):
            yield self._of_node(node, window, _among(accepted, endpoints))

    def _nodes_of(self, window: CapturedWindow, nodes: Mapping[str, NodePlan]) -> list[tuple[NodePlan, list[str]]]:
        """The nodes to tell of, each with the endpoints whose packets went through it."""
        now = {
            endpoint: nodes[planned.node.address] for endpoint, planned in window.endpoints.items()
            if planned.node is not None and planned.node.address in nodes
        }
        known = {endpoint: node for endpoint, node in self._node_of.items() if endpoint in window.endpoints}
        self._node_of = known | now
        places = {node.node.address: node for node in (*self._node_of.values(), *nodes.values())}
        users = {address: [end for end, used in self._node_of.items() if used.node.address == address] for address in places}
        return [(node, users[address]) for address, node in places.items() if node.in_use or users[address]]

    def _of_endpoint(
        self, endpoint: EndpointPlan, window: CapturedWindow, accepted: pa.Table, rejected: pa.Table, skipped: int
    ) -> InterfaceRecords:
        place = self._place(endpoint.interface_id, endpoint.subnet_id, endpoint.vpc_id, endpoint.zone_id)
        place |= {"gw_endpoint_id": endpoint.endpoint_id}
        parts = [
            self._ingress(endpoint, place, _by_flow(_moved(accepted, "ingress"), "ingress")),
            self._egress(endpoint, place, _by_flow(_moved(accepted, "egress"), "egress")),
            self._refused(endpoint, place, _with_reason(rejected, DropReason.DELIVER_FAILED, wanted=False)),
            self._not_delivered(endpoint, place, _with_reason(rejected, DropReason.DELIVER_FAILED, wanted=True)),
        ]
        return _put_together(endpoint.interface_id, parts, place, window, skipped=bool(skipped))

    def _ingress(self, endpoint: EndpointPlan, place: dict[str, Any], flows: pa.Table) -> pa.Table:
        return _records(flows, place | {"dstaddr": endpoint.address, "action": "ACCEPT", "flow_direction": "ingress"}, {
            "srcaddr": flows["source_address"],
            **_packet_columns(flows), **_amounts(flows), **_target_columns(flows),
        })

    def _egress(self, endpoint: EndpointPlan, place: dict[str, Any], flows: pa.Table) -> pa.Table:
        return _records(flows, place | {"srcaddr": endpoint.address, "action": "ACCEPT", "flow_direction": "egress"}, {
            "dstaddr": flows["destination_address"],
            "traffic_path": _paths(endpoint.vpc_cidr, flows["destination_address"]),
            **_packet_columns(flows), **_amounts(flows), **_target_columns(flows),
        })

    def _refused(self, endpoint: EndpointPlan, place: dict[str, Any], flows: pa.Table) -> pa.Table:
        constant = place | {"dstaddr": endpoint.address, "action": "REJECT", "flow_direction": "ingress"}
        return _records(flows, constant, {
            "srcaddr": _known(flows, "source_address"), "gw_drop_reason": flows["reason"],
            **_packet_columns(flows), **_amounts(flows),
        })

    def _not_delivered(self, endpoint: EndpointPlan, place: dict[str, Any], flows: pa.Table) -> pa.Table:
        return _records(flows, place | {"srcaddr": endpoint.address, "action": "REJECT", "flow_direction": "egress"}, {
            "dstaddr": flows["destination_address"], "gw_drop_reason": flows["reason"],
            "traffic_path": _paths(endpoint.vpc_cidr, flows["destination_address"]),
            **_packet_columns(flows), **_amounts(flows),
        })

    def _of_node(self, planned: NodePlan, window: CapturedWindow, flows: pa.Table) -> InterfaceRecords:
        node = planned.node
        place = self._place(node.interface_id, node.subnet_id, planned.vpc_id, planned.zone_id)
        outer = place | {"protocol": UDP, "dstport": GENEVE_PORT, "tcp_flags": 0, "type": "IPv4", "action": "ACCEPT"}
        out = _by_tunnel(_moved(flows, "ingress"), "ingress")
        back = _by_tunnel(_moved(flows, "egress"), "egress")
        own = {"srcaddr": node.address, "pkt_srcaddr": node.address, "flow_direction": "egress"}
        to_own = {"dstaddr": node.address, "pkt_dstaddr": node.address, "flow_direction": "ingress"}
        parts = [
            _records(out, outer | own, {
                "dstaddr": out["target_address"], "pkt_dstaddr": out["target_address"],
                "traffic_path": _paths(planned.vpc_cidr, out["target_address"]), **_tunnel_columns(out),
            }),
            _records(back, outer | to_own, {
                "srcaddr": back["target_address"], "pkt_srcaddr": back["target_address"], **_tunnel_columns(back),
            }),
        ]
        return _put_together(node.interface_id, parts, place, window, skipped=False)

    def _place(self, interface_id: str, subnet_id: str, vpc_id: str | None, zone_id: str) -> dict[str, Any]:
        """What is the same in every record of an interface."""
        return {
            **self._constant, "interface_id": interface_id, "subnet_id": subnet_id,
            "vpc_id": vpc_id, "az_id": None if zone_id == "-" else zone_id, "log_status": "OK",
        }


def _paths(vpc_cidr: str | None, destinations: pa.ChunkedArray) -> pa.Array:
    """`traffic-path` of each destination: 1 inside the VPC, 8 to the internet, none where it cannot be known."""
    if vpc_cidr is None:
        return pa.nulls(len(destinations), pa.int32())
    encoded = destinations.combine_chunks().dictionary_encode()
    paths = pa.array([_path(vpc_cidr, address) for address in encoded.dictionary.to_pylist()], pa.int32())
    return paths.take(encoded.indices)


@lru_cache(maxsize=65_536)
def _path(cidr: str, address: str) -> int | None:
    destination, network = ip_address(address), ip_network(cidr)
    if destination.version == network.version and destination in network:
        return PATH_SAME_VPC
    # Documentation and benchmark ranges count as private in Python, but stand for the internet in a lab.
    private = any(destination in block for block in _PRIVATE if block.version == destination.version)
    return None if private else PATH_INTERNET_GATEWAY


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))


def _of(flows: pa.Table, endpoint: str) -> pa.Table:
    return flows.filter(pc.equal(flows["endpoint"].cast(pa.string()), endpoint))


def _among(flows: pa.Table, endpoints: list[str]) -> pa.Table:
    return flows.filter(pc.is_in(flows["endpoint"].cast(pa.string()), pa.array(endpoints, pa.string())))


def _with_reason(flows: pa.Table, reason: DropReason, *, wanted: bool) -> pa.Table:
    found = pc.equal(flows["reason"].cast(pa.string()), str(reason))
    return flows.filter(found if wanted else pc.invert(found))


def _moved(flows: pa.Table, side: str) -> pa.Table:
    """The flows that had packets on that side."""
    return flows.filter(pc.greater(_integers(flows[f"{side}_packets"]), 0))


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As int64; a column of an empty list has no type of its own."""
    return column.cast(pa.int64())


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.floor(column.cast(pa.float64())).cast(pa.int64())


def _known(flows: pa.Table, column: str) -> pa.ChunkedArray:
    """Null where the packet was too broken to have such a thing."""
    return pc.if_else(pc.equal(_integers(flows["ip_version"]), 0), None, flows[column])


def _packet_columns(flows: pa.Table) -> dict[str, Any]:
    versions = _integers(flows["ip_version"]).combine_chunks().dictionary_encode()
    types = pa.array([_TYPES.get(version) for version in versions.dictionary.to_pylist()], pa.string())
    return {
        "pkt_srcaddr": _known(flows, "source_address"), "pkt_dstaddr": _known(flows, "destination_address"),
        "srcport": _known(flows, "source_port"), "dstport": _known(flows, "destination_port"),
        "protocol": _known(flows, "protocol"), "type": types.take(versions.indices),
    }


def _amounts(flows: pa.Table) -> dict[str, Any]:
    return {
        "packets": flows["packets"], "bytes": flows["bytes"], "start": _seconds(flows["first_s"]),
        "end": _seconds(flows["last_s"]), "tcp_flags": flows["tcp_flags"],
    }


def _target_columns(flows: pa.Table) -> dict[str, Any]:
    return {"gw_target_id": flows["target_id"], "gw_az_id": flows["target_zone_id"]}


_AMOUNTS = ("packets", "bytes", "first_s", "last_s")
_FLOW_KEYS = [
    "source_address", "destination_address", "source_port", "destination_port", "protocol", "ip_version", "target_id",
    "target_zone_id",
]
_TUNNEL_KEYS = ["target_address", "entropy_port", "target_id", "target_zone_id"]
#: The bits that `tcp-flags` counts: FIN, SYN, RST, and the ACK of a SYN-ACK.
_FLAG_BITS = (1, 2, 4, 16)


def _by_flow(flows: pa.Table, side: str) -> pa.Table:
    """What one side saw, a row for each 5-tuple and target: a 5-tuple used twice in the window is one record."""
    flags = _integers(flows[f"{side}_tcp_flags"])
    for bit in _FLAG_BITS:
        flows = flows.append_column(f"flag_{bit}", pc.bit_wise_and(flags, bit))
    added = _added_up(flows, _FLOW_KEYS, side, [(f"flag_{bit}", "max") for bit in _FLAG_BITS])
    every = added[f"flag_{_FLAG_BITS[0]}_max"]
    for bit in _FLAG_BITS[1:]:
        every = pc.bit_wise_or(every, added[f"flag_{bit}_max"])
    return added.append_column("tcp_flags", every)


def _by_tunnel(flows: pa.Table, side: str) -> pa.Table:
    """Flows added up by what the outer packet shows: the target and the source port."""
    return _added_up(flows, _TUNNEL_KEYS, side, [])


def _added_up(flows: pa.Table, keys: list[str], side: str, more: list[tuple[str, str]]) -> pa.Table:
    functions = dict(zip(_AMOUNTS, ("sum", "sum", "min", "max"), strict=True))
    added = flows.group_by(keys, use_threads=False).aggregate(
        [(f"{side}_{name}", function) for name, function in functions.items()] + more
    )
    names = {f"{side}_{name}_{function}": name for name, function in functions.items()}
    return added.rename_columns([names.get(name, name) for name in added.column_names])


def _tunnel_columns(flows: pa.Table) -> dict[str, Any]:
    packets = _integers(flows["packets"])
    return {
        "srcport": flows["entropy_port"], "packets": packets,
        "bytes": pc.add(_integers(flows["bytes"]), pc.multiply(packets, OUTER_BYTES)),
        "start": _seconds(flows["first_s"]), "end": _seconds(flows["last_s"]), **_target_columns(flows),
    }


def _records(flows: pa.Table, constant: Mapping[str, Any], columns: Mapping[str, Any]) -> pa.Table:
    """A table of all columns: given ones, constant ones, and null where neither says anything."""
    count = len(flows)
    return pa.table([
        _cast(columns[field.name], field.type) if field.name in columns
        else pa.repeat(pa.scalar(constant.get(field.name), field.type), count)
        for field in SCHEMA
    ], schema=SCHEMA)


def _cast(column: Any, kind: pa.DataType) -> Any:
    return column.cast(kind)


def _put_together(
    interface_id: str, parts: list[pa.Table], place: dict[str, Any], window: CapturedWindow, *, skipped: bool
) -> InterfaceRecords:
    """All records of an interface, with NODATA if there are none and SKIPDATA if some could not be told apart."""
    times = {"start": int(window.started_s), "end": int(window.ended_s)}
    if not skipped and not any(len(part) for part in parts):
        parts = [pa.Table.from_pylist([{**place, **times, "log_status": "NODATA"}], schema=SCHEMA)]
    elif skipped:
        parts = [*parts, pa.Table.from_pylist([{**place, **times, "log_status": "SKIPDATA"}], schema=SCHEMA)]
    return InterfaceRecords(interface_id=interface_id, records=pa.concat_tables(parts))
