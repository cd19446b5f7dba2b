"""The engine: where each packet goes.  No sockets, no clock, no randomness, no logging; the time is an argument.

    engine = Engine(flows_max=200_000, rejects_max=20_000, secret=os.urandom(32))
    engine.configure(plan, now_s)                            # endpoints come, change and go; `endpoint` below is an id
    engine.from_endpoint(endpoint, packets, now_s, send)     # appends (outer IPv4 packet, target address, endpoint)
    engine.from_target(datagrams, now_s, deliver)            # (UDP payload, source address, source port);
                                                             # appends (endpoint, inner packet)
    engine.not_sent(outer, endpoint, now_s)                  # the kernel refused to send what `send` had
    engine.not_delivered(endpoint, inner, now_s)             # ... or what `deliver` had
    engine.count_drops(endpoint or None, reason, packets)    # kernel queue overflows that the data path was told of
    engine.expire(now_s, flows_budget)                       # often, with a small budget
    engine.clock_stepped(by_s)                               # the caller's clock was set
    engine.counters() -> EngineCounters                      # a copy
    engine.close_window(now_s) -> Window                     # may be read in another thread
    engine.forget_gone()                                     # counters of endpoints that went were handed in

Packets are IP packets without Ethernet header; padding behind them is cut off.  All calls come from one thread; only
`make_plan` runs elsewhere.  `not_sent` and `not_delivered` come right after the batch, before the window is closed.

Invariants, tested over random sequences of events: every offered packet is sent or counted under one drop reason; the
sums in `counters.py` hold at all times; both directions of a flow have one target, which does not change while it is
healthy; tables stay within their limits; no bytes raise an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forwarder.capture.counters import EngineCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.engine.admission import Admission
from forwarder.engine.endpoint_set import EndpointSet
from forwarder.engine.flow import BACK, FORWARD, Flow
from forwarder.engine.flow_key import reverse_key
from forwarder.engine.flow_table import EndpointFlows
from forwarder.engine.window import UNREADABLE, OpenWindow, Window
from forwarder.plan import Plan
from forwarder.wire.geneve_codec import (
    GENEVE_BYTES,
    INNER_BYTES_MAX,
    IPV4_PROTOCOL,
    IPV6_PROTOCOL,
    OVERHEAD_BYTES,
    Codec,
    Encapsulation,
    StructCodec,
    cookie_option,
    geneve_header,
)
from forwarder.wire.inner_packet import TCP, Classified
from forwarder.wire.malformed_packet import MalformedPacket

#: Directions remembered in one capture window, as a multiple of `flows_max`.
WINDOW_PARTS_PER_FLOW = 4
_OPTION_BYTES = 8  # the cookie option, with which our header ends
_COMMON_BYTES = GENEVE_BYTES - _OPTION_BYTES  # what all flows of an endpoint and IP version share
_VERSION_OF_PROTOCOL = {IPV4_PROTOCOL: 4, IPV6_PROTOCOL: 6}
_COOKIE_HEADER = cookie_option(0)[:4]
_FIN_RST = 5

#: UDP payload, source address, UDP source port.
Datagram = tuple[bytes, str, int]


class Engine:
    """Decides, encapsulates, verifies and counts; see the module for the calls."""

    def __init__(self, *, flows_max: int, rejects_max: int, secret: bytes, codec: Codec | None = None) -> None:
        """`secret` (16 to 64 bytes) keys cookies, ports and target choice, so that nobody outside can foresee them.

        `codec` is `StructCodec()` unless given; with another one the same decisions are made from what it reads.
        """
        if not 16 <= len(secret) <= 64:
            raise ValueError(f"the engine's secret must have 16 to 64 bytes, not {len(secret)}")
        self._codec: Codec = codec or StructCodec()
        self._classify = self._codec.classify
        self._admission = Admission(flows_max=flows_max, secret=secret, codec=self._codec)
        self._window = OpenWindow(parts_max=WINDOW_PARTS_PER_FLOW * flows_max, rejects_max=rejects_max)
        self._set = EndpointSet(self._window.unrecorded)
        self._endpoints = self._set.present
        self._by_number: dict[int, EndpointFlows] = {}
        self._by_header: dict[bytes, tuple[EndpointFlows, int]] = {}
        self._refused_unattributed: dict[DropReason, int] = {}
        #: What the last `from_target` refused, by reason; the data path knows at which node.
        self.refused_now: dict[DropReason, int] = {}

    # Configuration

    def configure(self, plan: Plan, now_s: float) -> None:
        """Take over a plan.  Flows notice at their next packet, so this takes no longer with many flows; those of an endpoint
        that is gone are forgotten by `expire`, and are there again if it comes back before.

        An idle timeout that became shorter is for flows without a next packet, and takes 0.1 s with 200,000 of them.
        """
        before = self._set.follow(plan)
        self._window.know(plan.endpoints)
        self._by_number = {state.plan.endpoint_number: state for state in self._endpoints.values()}
        self._by_header = self._common_headers()
        self._admission.plan_changed(self._endpoints.values(), before)

    def _common_headers(self) -> dict[bytes, tuple[EndpointFlows, int]]:
        """How our own GENEVE headers begin, for recognising them on return by one look-up; empty for other codecs."""
        if not isinstance(self._codec, StructCodec):
            return {}
        return {
            geneve_header(Encapsulation(
                b"", b"", 0, state.plan.endpoint_number, state.plan.attachment_number, 0, protocol
            ))[:_COMMON_BYTES]: (state, version)
            for state in self._endpoints.values() for protocol, version in _VERSION_OF_PROTOCOL.items()
        }

    # From endpoint to target

    def from_endpoint(
        self, endpoint: str, packets: Sequence[bytes], now_s: float, send: list[tuple[bytes, str, str]]
    ) -> None:
        """Append to `send` what goes to targets; count the rest.  `KeyError` for an endpoint that the plan does not have."""
        state = self._endpoints[endpoint]
        counters, plan, flows = state.counters, state.plan, state.flows
        classify, window, number = self._classify, self._window, self._window.number
        counters.offered += len(packets)
        if plan.refusal is not None:
            self._refuse_all(state, packets, plan.refusal, now_s)
            return
        for packet in packets:
            try:
                kind, key, length, flags = classify(packet)
            except MalformedPacket:
                self._reject(state, DropReason.MALFORMED, UNREADABLE, b"", len(packet), 0, now_s)
                continue
            if length > INNER_BYTES_MAX:
                self._reject(state, DropReason.OVERSIZE, kind, key, length, flags, now_s)
                continue
            flow = flows[kind].get(key) or flows[kind].get(reverse_key(kind, key))
            if flow is None:
                flow = self._admission.admit(state, kind, key, flags, now_s)
            elif now_s - flow.last_s >= flow.idle_timeout_s or flow.plan is not plan or flow.phase:
                flow = self._admission.revise(state, flow, key, flags, now_s)
            if flow is None:
                self._reject(state, self._admission.refused, kind, key, length, flags, now_s)
                continue
            target = flow.target
            forward = key == flow.key
            part = flow.forward_part if forward else flow.back_part
            if part is None or part.window != number or part.target is not target:
                part = window.enter(flow, key)
            if not part.in_packets:
                part.in_first_s = now_s
            part.in_last_s = flow.last_s = now_s
            part.in_packets += 1
            part.in_bytes += length
            if flags:
                part.in_flags |= flags
                if flags & _FIN_RST:
                    self._admission.note_closing(flow, FORWARD if forward else BACK, flags)
            if flow.binding is not None:
                flow.binding.last_s = now_s
            if (flow.forward_balance if forward else flow.back_balance) < 0:
                counters.originated -= 1
            if forward:
                flow.forward_balance += 1
            else:
                flow.back_balance += 1
            counters.sent += 1
            counters.sent_bytes += length
            target.counters.sent_packets += 1
            target.counters.sent_bytes += length
            inner = packet if len(packet) == length else packet[:length]
            send.append((flow.header.encapsulate(inner, flow.entropy_port, flow.cookie_option), target.address, endpoint))

    def _refuse_all(self, state: EndpointFlows, packets: Sequence[bytes], reason: DropReason, now_s: float) -> None:
        for packet in packets:
            try:
                kind, key, length, flags = self._classify(packet)
            except MalformedPacket:
                self._reject(state, DropReason.MALFORMED, UNREADABLE, b"", len(packet), 0, now_s)
            else:
                self._reject(state, reason, kind, key, length, flags, now_s)

    def _reject(
        self, state: EndpointFlows, reason: DropReason, kind: int, key: bytes, length: int, flags: int, now_s: float
    ) -> None:
        counters = state.counters
        counters.dropped[reason] = counters.dropped.get(reason, 0) + 1
        if self._window.reject((state.id, reason, kind, key), length, flags, now_s):
            counters.rejected_flows += 1
            if kind == TCP:
                counters.rejected_flows_tcp += 1

    # From target to endpoint

    def from_target(
        self, datagrams: Sequence[Datagram], now_s: float, deliver: list[tuple[str, bytes]]
    ) -> None:
        """Append to `deliver` what the targets rightly give back; count the rest as refused."""
        by_header, classify = self._by_header, self._classify
        self.refused_now = {}
        window, number = self._window, self._window.number
        for payload, source, port in datagrams:
            # Our own header comes back unchanged in almost every datagram, so it is recognised whole.
            found = by_header.get(payload[:_COMMON_BYTES])
            if found is not None:
                state, version = found
                option, inner = payload[_COMMON_BYTES:GENEVE_BYTES], payload[GENEVE_BYTES:]
            if found is None or option[:4] != _COOKIE_HEADER or len(option) != _OPTION_BYTES:
                parsed = self._parse_return(payload)
                if parsed is None:
                    continue
                state, version, option, inner = parsed
            try:
                kind, key, length, flags = classify(inner)
            except MalformedPacket:
                self._refuse(state.counters.refused, DropReason.RETURN_INNER_MALFORMED)
                continue
            flow = state.flows[kind].get(key) or state.find(kind, key) or self._admission.returning(state, kind, key, now_s)
            refusal = self._refusal(state, flow, version, inner[0] >> 4, length, source, port, option, now_s)
            if refusal is not None or flow is None:
                self._refuse(state.counters.refused, refusal or DropReason.RETURN_UNKNOWN_FLOW)
                continue
            counters, target = state.counters, flow.target
            forward = key == flow.key
            part = flow.forward_part if forward else flow.back_part
            if part is None or part.window != number or part.target is not target:
                part = window.enter(flow, key)
            if not part.out_packets:
                part.out_first_s = now_s
            part.out_last_s = flow.last_s = now_s
            part.out_packets += 1
            part.out_bytes += length
            if flags:
                part.out_flags |= flags
                if flags & _FIN_RST:
                    self._admission.note_closing(flow, FORWARD if forward else BACK, flags)
            if flow.binding is not None:
                flow.binding.last_s = now_s
            if (flow.forward_balance if forward else flow.back_balance) <= 0:
                counters.originated += 1
            if forward:
                flow.forward_balance -= 1
            else:
                flow.back_balance -= 1
            counters.returned += 1
            counters.returned_bytes += length
            counters.delivered += 1
            counters.delivered_bytes += length
            target.counters.returned_packets += 1
            target.counters.returned_bytes += length
            deliver.append((state.id, inner if len(inner) == length else inner[:length]))

    def _parse_return(self, payload: bytes) -> tuple[EndpointFlows, int, bytes, bytes] | None:
        """Read a header that is not laid out like ours; None, and counted, if it is no good."""
        try:
            header = self._codec.decapsulate(payload)
        except MalformedPacket:
            self._refuse(self._refused_unattributed, DropReason.RETURN_MALFORMED)
            return None
        state = self._by_number.get(header.endpoint_number)
        if state is None:
            self._refuse(self._refused_unattributed, DropReason.RETURN_UNKNOWN_ENDPOINT)
            return None
        version = _VERSION_OF_PROTOCOL[header.protocol]
        return state, version, cookie_option(header.cookie), payload[header.inner_offset:]

    def _refuse(self, counts: dict[DropReason, int], reason: DropReason) -> None:
        _count(counts, reason)
        _count(self.refused_now, reason)

    def _refusal(
        self, state: EndpointFlows, flow: Flow | None, outer_version: int, inner_version: int, length: int,
        source: str, port: int, option: bytes, now_s: float,
    ) -> DropReason | None:
        if outer_version != inner_version:
            return DropReason.RETURN_WRONG_PROTOCOL
        if length > INNER_BYTES_MAX:
            return DropReason.RETURN_OVERSIZE
        if flow is None:
            return DropReason.RETURN_UNKNOWN_FLOW
        if (
            now_s - flow.last_s >= flow.idle_timeout_s or flow.plan is not state.plan
        ) and not self._admission.still_valid(state, flow, now_s):
            return DropReason.RETURN_UNKNOWN_FLOW
        if source != flow.target.address:
            return DropReason.RETURN_WRONG_TARGET
        if port != flow.entropy_port:
            return DropReason.RETURN_WRONG_PORT
        return None if option == flow.cookie_option else DropReason.RETURN_WRONG_COOKIE

    # What the data path reports

    def not_sent(self, outer: bytes, endpoint: str, now_s: float) -> None:
        """The kernel refused an outer packet that `from_endpoint` had appended: it counts as dropped, not as sent."""
        state = self._endpoints[endpoint]
        classified = self._classify(outer[OVERHEAD_BYTES:])
        kind, key, length, _ = classified
        counters = state.counters
        flow = state.find(kind, key) or self._admission.returning(state, kind, key, now_s)
        counters.sent -= 1
        counters.sent_bytes -= length
        part = None
        if flow is not None:
            if flow.unsend(key):
                counters.originated += 1
            flow.target.counters.sent_packets -= 1
            flow.target.counters.sent_bytes -= length
            part = flow.part(key)
        recorded = part is not None and part.window == self._window.number and part.in_packets > 0
        if part is not None and recorded:
            part.in_packets -= 1
            part.in_bytes -= length
            assert part.in_bytes >= 0
        self._drop_late(state, DropReason.SEND_FAILED, classified, now_s, recorded=recorded)

    def not_delivered(self, endpoint: str, inner: bytes, now_s: float) -> None:
        """The kernel refused an inner packet that `from_target` had appended: returned, but not delivered."""
        state = self._endpoints[endpoint]
        classified = self._classify(inner)
        kind, key, length, _ = classified
        state.counters.delivered -= 1
        state.counters.delivered_bytes -= length
        flow = state.find(kind, key)
        part = flow.part(key) if flow is not None else None
        recorded = part is not None and part.window == self._window.number and part.out_packets > 0
        if part is not None and recorded:
            part.out_packets -= 1
            part.out_bytes -= length
            assert part.out_bytes >= 0
        self._drop_late(state, DropReason.DELIVER_FAILED, classified, now_s, recorded=recorded)

    def _drop_late(
        self, state: EndpointFlows, reason: DropReason, classified: Classified, now_s: float, *, recorded: bool
    ) -> None:
        """Count a packet that was first accepted; it moves to the refused records if it is still in the open window.

        In a window that was closed meanwhile it stands as accepted, and is not recorded twice.
        """
        kind, key, length, flags = classified
        if recorded:
            self._reject(state, reason, kind, key, length, flags, now_s)
        else:
            _count(state.counters.dropped, reason)

    def count_drops(self, endpoint: str | None, reason: DropReason, packets: int) -> None:
        """Count packets that the kernel dropped before the engine saw them; `endpoint` None if it cannot be known.

        `RECEIVE_QUEUE_FULL`: they were offered to the endpoint.  `RETURN_QUEUE_FULL`: they came from targets.
        `ValueError` for other reasons, which the engine counts itself.
        """
        if reason is DropReason.RECEIVE_QUEUE_FULL and endpoint is not None:
            counters = self._endpoints[endpoint].counters
            counters.offered += packets
            _count(counters.dropped, reason, packets)
            self._window.skip(endpoint, packets)
        elif reason is DropReason.RETURN_QUEUE_FULL:
            refused = self._refused_unattributed if endpoint is None else self._endpoints[endpoint].counters.refused
            _count(refused, reason, packets)
        else:
            raise ValueError(f"{reason} is counted by the engine; the data path reports queues that were full")

    # Time, counters, records

    def expire(self, now_s: float, flows_budget: int) -> None:
        """Forget flows that were idle too long, and what flows did in the closed window, looking at `flows_budget` at most."""
        self._admission.expire(now_s, flows_budget)
        self._set.clear(self._admission.clear, flows_budget)
        self._window.forget_closed(flows_budget)

    def clock_stepped(self, by_s: float) -> None:
        """The clock was set by `by_s`; no flow ends early or late for it.  Takes 0.3 s with 200,000 flows."""
        self._admission.clock_stepped(by_s, self._set.all)
        self._window.clock_stepped(by_s)

    def counters(self) -> EngineCounters:
        """A copy of all counters."""
        return EngineCounters(
            endpoints=self._set.counters(),
            targets=[replace(bound.counters) for bound in self._admission.targets],
            refused_unattributed=dict(self._refused_unattributed),
            flows=len(self._admission), gave_way=dict(self._admission.gave_way), gone=self._set.forgotten,
        )

    @property
    def window_rows(self) -> int:
        """Rows that the open window has so far."""
        return self._window.rows

    def close_window(self, now_s: float) -> Window:
        """What happened since the last call; before the first, since the engine was made."""
        return self._window.close(now_s, self._endpoints.keys())

    def forget_gone(self) -> None:
        """Add up the counters of endpoints that are gone and have no flow any more: their last window and their counters were
        handed in."""
        for endpoint in self._set.forget():
            del self._window.unrecorded[endpoint]


def _count(counts: dict[DropReason, int], reason: DropReason, packets: int = 1) -> None:
    counts[reason] = counts.get(reason, 0) + packets
