"""The closed list of reasons for which a packet does not arrive, with what each means and what to do about it.

`Hop.INGRESS` and `Hop.DELIVERY` reasons and `not_returned` add up: offered + originated = delivered + dropped.
`Hop.RETURN` reasons count datagrams from targets that were refused; the packets they may have carried are already in
`not_returned`, so they explain and are not added.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DropReason(StrEnum):
    """Why a packet was dropped, as in `gw-drop-reason`."""

    NO_LOAD_BALANCER = "no_load_balancer"
    NO_LISTENER = "no_listener"
    NO_TARGET = "no_target"
    MALFORMED = "malformed"
    OVERSIZE = "oversize"
    UNKNOWN_FLOW = "unknown_flow"
    RECEIVE_QUEUE_FULL = "receive_queue_full"
    SEND_FAILED = "send_failed"
    NOT_RETURNED = "not_returned"
    DELIVER_FAILED = "deliver_failed"
    RETURN_QUEUE_FULL = "return_queue_full"
    RETURN_MALFORMED = "return_malformed"
    RETURN_UNKNOWN_ENDPOINT = "return_unknown_endpoint"
    RETURN_INNER_MALFORMED = "return_inner_malformed"
    RETURN_OVERSIZE = "return_oversize"
    RETURN_WRONG_PROTOCOL = "return_wrong_protocol"
    RETURN_UNKNOWN_FLOW = "return_unknown_flow"
    RETURN_WRONG_TARGET = "return_wrong_target"
    RETURN_WRONG_PORT = "return_wrong_port"
    RETURN_WRONG_COOKIE = "return_wrong_cookie"


#: Numbers for tables that hold no text (kernel maps, counters in arrays).  They never change; a new reason takes the next.
NUMBERS: dict[DropReason, int] = {reason: number for number, reason in enumerate((
    DropReason.NO_LOAD_BALANCER, DropReason.NO_LISTENER, DropReason.NO_TARGET, DropReason.MALFORMED, DropReason.OVERSIZE,
    DropReason.UNKNOWN_FLOW, DropReason.RECEIVE_QUEUE_FULL, DropReason.SEND_FAILED, DropReason.NOT_RETURNED,
    DropReason.DELIVER_FAILED, DropReason.RETURN_QUEUE_FULL, DropReason.RETURN_MALFORMED, DropReason.RETURN_UNKNOWN_ENDPOINT,
    DropReason.RETURN_INNER_MALFORMED, DropReason.RETURN_OVERSIZE, DropReason.RETURN_WRONG_PROTOCOL,
    DropReason.RETURN_UNKNOWN_FLOW, DropReason.RETURN_WRONG_TARGET, DropReason.RETURN_WRONG_PORT, DropReason.RETURN_WRONG_COOKIE,
), 1)}


class Hop(StrEnum):
    """Where on a packet's way a reason applies."""

    INGRESS = "ingress"
    TARGET = "target"
    DELIVERY = "delivery"
    RETURN = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReasonText:
    """Where a reason applies, what happened, and what a person should do."""

    hop: Hop
    meaning: str
    action: str


def _text(hop: Hop, meaning: str, action: str) -> DropReasonText:
    return DropReasonText(hop=hop, meaning=meaning, action=action)


#: The text of every reason, for the reference page and `gatewatch status`.
DROP_REASONS: dict[DropReason, DropReasonText] = {
    DropReason.NO_LOAD_BALANCER: _text(
        Hop.INGRESS,
        "The endpoint is not connected: no load balancer of its provider VPC has a subnet with a node in its zone.",
        "Create a gateway load balancer in the provider VPC with a subnet in the endpoint's zone.",
    ),
    DropReason.NO_LISTENER: _text(
        Hop.INGRESS,
        "The load balancer has no listener, so nothing is forwarded.",
        "Create a listener that forwards to a GENEVE target group.",
    ),
    DropReason.NO_TARGET: _text(
        Hop.INGRESS,
        "A new flow found no registered target in the node's zone (in any enabled zone, with cross-zone on).",
        "Register a target in that zone, or turn on load_balancing.cross_zone.enabled.",
    ),
    DropReason.MALFORMED: _text(
        Hop.INGRESS,
        "Not a whole IPv4 or IPv6 packet: version, a header length or the total length does not fit the bytes.",
        "Capture at the endpoint's device; turn off offloads (tso, gso) on what sends to it.",
    ),
    DropReason.OVERSIZE: _text(
        Hop.INGRESS,
        "The packet is longer than 8500 bytes. As in AWS no ICMP message is sent.",
        "Set the sender's MTU to 8500 or less.",
    ),
    DropReason.UNKNOWN_FLOW: _text(
        Hop.INGRESS,
        "A TCP packet that is not a SYN and belongs to no flow: its flow idled out, or its start was not seen here.",
        "Use TCP keepalives or a longer tcp.idle_timeout.seconds; check that both directions use the same endpoint.",
    ),
    DropReason.RECEIVE_QUEUE_FULL: _text(
        Hop.INGRESS,
        "The kernel dropped packets at the endpoint's socket before the gateway read them; they have no flow record.",
        "Raise receive_buffer_bytes; the gateway is offered more than it can carry.",
    ),
    DropReason.SEND_FAILED: _text(
        Hop.INGRESS,
        "The kernel refused to send the GENEVE packet to the target.",
        "Check route and neighbour from the node to the target, and that the path's MTU is at least 8568.",
    ),
    DropReason.NOT_RETURNED: _text(
        Hop.TARGET,
        "Sent to a target that has not (yet) given it back: denied by the appliance, lost, refused on return, or still "
        "under way.",
        "Read the appliance's log; look at the return_ counters next.",
    ),
    DropReason.DELIVER_FAILED: _text(
        Hop.DELIVERY,
        "The kernel refused to send the returned packet on the endpoint's device.",
        "Check that the endpoint's device is up and its MTU at least that of the packet.",
    ),
    DropReason.RETURN_QUEUE_FULL: _text(
        Hop.RETURN,
        "The kernel dropped datagrams at the node's socket before the gateway read them.",
        "Raise receive_buffer_bytes; the targets return more than the gateway can carry.",
    ),
    DropReason.RETURN_MALFORMED: _text(
        Hop.RETURN,
        "A datagram on port 6081 whose GENEVE header is damaged, lacks one of Amazon's three options, repeats one, "
        "or has an unknown critical option.",
        "The appliance must return the GENEVE header as it got it.",
    ),
    DropReason.RETURN_UNKNOWN_ENDPOINT: _text(
        Hop.RETURN,
        "The endpoint id in the GENEVE header is none of the gateway's.",
        "The appliance must return the options unchanged.",
    ),
    DropReason.RETURN_INNER_MALFORMED: _text(
        Hop.RETURN,
        "The returned inner packet is not a whole IPv4 or IPv6 packet.",
        "The appliance damages packets; compare a capture before and behind it.",
    ),
    DropReason.RETURN_OVERSIZE: _text(
        Hop.RETURN,
        "The returned inner packet is longer than 8500 bytes.",
        "The appliance must not join packets (gro, lro off).",
    ),
    DropReason.RETURN_WRONG_PROTOCOL: _text(
        Hop.RETURN,
        "The GENEVE protocol type says another IP version than the inner packet has.",
        "The appliance must return the header it got with that packet.",
    ),
    DropReason.RETURN_UNKNOWN_FLOW: _text(
        Hop.RETURN,
        "The returned inner packet belongs to no flow of that endpoint: idled out, or made up by the target "
        "(targets may not start flows, nor rewrite addresses or ports).",
        "Turn off NAT on the appliance; give it the same idle timeouts.",
    ),
    DropReason.RETURN_WRONG_TARGET: _text(
        Hop.RETURN,
        "The datagram came from another address than the flow's target.",
        "Appliances must answer from the address they are registered with; after a rebalance a few are normal.",
    ),
    DropReason.RETURN_WRONG_PORT: _text(
        Hop.RETURN,
        "The UDP source port is not the one the flow's packets were sent with.",
        "The appliance must keep the UDP source port (ports are not swapped).",
    ),
    DropReason.RETURN_WRONG_COOKIE: _text(
        Hop.RETURN,
        "The flow cookie is not the flow's: a forged or very old datagram, or headers mixed up between flows.",
        "The appliance must store the header per flow and refresh it with every packet.",
    ),
}
