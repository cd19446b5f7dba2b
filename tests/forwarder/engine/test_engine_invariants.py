"""What holds whatever happens: random packets, returns, forgeries, failures, plans and time, in any order.

1. Every offered packet is sent or counted under one drop reason, and all sums of `counters.py` hold after every event.
2. A live flow never changes target while the target is healthy, and both its directions have the same one.
3. Only what belongs to a flow is delivered, and to the endpoint it came from.
4. Tables never exceed their limits, and records and skipped packets add up to what was offered.
5. No bytes raise an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwarder.capture.drop_reason import DROP_REASONS, DropReason, Hop
from forwarder.desired import Target, TargetState
from forwarder.engine.engine import Engine
from forwarder.engine.flow_key import flow_name, sticky_name
from forwarder.plan import EndpointPlan, Plan
from forwarder.wire.geneve_codec import OVERHEAD_BYTES
from forwarder.wire.inner_packet import TCP, classify
from tests.forwarder.engine.examples import (
    E0,
    E1,
    ENDPOINTS,
    SECRET,
    Sent,
    balancer,
    bounce,
    draining,
    give_back,
    group,
    offer,
    plan_of,
    target,
)
from tests.forwarder.engine.test_engine import assert_books_balance
from tests.forwarder.wire.packets import ACK, FIN, RST, SYN, any_packets, echo, ipv4, tcp, udp

FLOWS_MAX, REJECTS_MAX = 8, 6
A, B, A6, B6 = "10.0.1.10", "203.0.113.7", "2001:db8:1::10", "2001:db8:ffff::7"
PACKETS = [
    *(tcp(A, port, B, 443, flags) for port in (1, 2, 3) for flags in (SYN, ACK, FIN | ACK, RST)),
    *(tcp(B, 443, A, port, flags) for port in (1, 2) for flags in (SYN | ACK, ACK, FIN, RST)),
    *(udp(A, port, B, 53) for port in range(12)), *(udp(B, 53, A, port) for port in range(4)),
    tcp(A6, 1, B6, 443, SYN), tcp(B6, 443, A6, 1, SYN | ACK), udp(A6, 1, B6, 53), echo(A, B), echo(B, A), echo(A6, B6),
    echo(A, A), udp(A, 9, A, 9), ipv4(A, B, 17, b"fragment", fragment=0x2000), tcp(A, 1, B, 443, ACK) + b"padding",
    udp(A, 1, B, 53, bytes(8473)), b"", b"\x45\0\0",
]

target_states = st.sampled_from([
    TargetState.HEALTHY, TargetState.HEALTHY, TargetState.UNHEALTHY, TargetState.INITIAL, TargetState.DRAINING, None,
])


def _target(number: int, state: TargetState | None) -> Target | None:
    if state is None:
        return None
    return draining(number) if state is TargetState.DRAINING else target(number, state)


class Setting(NamedTuple):
    """What a plan is made from: the states of three targets, failover, stickiness, and seldom another balancer."""

    states: tuple[TargetState | None, ...]
    rebalance: bool
    stickiness: str | None
    kind: str


settings_of_plans = st.builds(
    Setting, st.tuples(target_states, target_states, target_states), st.booleans(),
    st.sampled_from([None, None, "source_ip_dest_ip", "source_ip_dest_ip_proto"]),
    st.sampled_from(["usual"] * 7 + ["another balancer", "no listener", "no balancer", "one endpoint less", "one endpoint less"]),
)


@cache
def plan_from(setting: Setting) -> Plan:
    targets = [_target(number, state) for number, state in enumerate(setting.states, 1)]
    made = group([one for one in targets if one], rebalance=setting.rebalance, stickiness=setting.stickiness)
    match setting.kind:
        case "no balancer":
            return plan_of()
        case "no listener":
            return plan_of(balancer(None))
        case "another balancer":
            return plan_of(balancer(made, name="another", arn="arn:another"))
        case "one endpoint less":
            planned = plan_of(balancer(made))
            return replace(planned, endpoints=tuple(one for one in planned.endpoints if one.endpoint_id != E1))
    return plan_of(balancer(made))


#: The first of these packets have a flow in most examples.
_few = st.integers(0, len(PACKETS) - 1) | st.integers(0, 5) | st.integers(20, 24)
_offers = st.tuples(st.just("offer"), st.integers(0, 1), st.lists(_few.map(PACKETS.__getitem__), min_size=1, max_size=6))
events = st.one_of(
    _offers, _offers, _offers,
    st.tuples(st.just("offer"), st.integers(0, 3), st.lists(any_packets, max_size=3)),
    st.tuples(st.just("return"), st.lists(st.integers(0, 30), max_size=6)),
    st.tuples(st.just("originate"), st.integers(0, 30), st.sampled_from(PACKETS)),
    st.tuples(st.just("forge"), st.binary(max_size=80), st.integers(0, 65_535)),
    st.tuples(st.just("garble"), st.integers(0, 30), st.integers(0, 60), st.integers(0, 255)),
    st.tuples(st.just("impersonate"), st.integers(0, 30)),
    st.tuples(st.just("fail to send")), st.tuples(st.just("fail to deliver")),
    st.tuples(st.just("overflow"), st.integers(0, 3)),
    st.tuples(st.just("later"), st.sampled_from([0.1, 1.0, 60.0, 119.0, 120.0, 349.0, 350.0])),
    st.tuples(st.just("expire"), st.integers(0, 20)),
    st.tuples(st.just("configure"), settings_of_plans), st.tuples(st.just("configure"), settings_of_plans),
    st.tuples(st.just("close")),
)


@dataclass
class World:
    """The engine, what was sent and not yet returned, and what this test believes about flows."""

    engine: Engine
    plan: Plan = field(default_factory=plan_of)
    now_s: float = 0.0
    sent: list[Sent] = field(default_factory=list)
    believed: dict[tuple[str, bytes], tuple[str, float]] = field(default_factory=dict)
    last_sent: list[Sent] = field(default_factory=list)
    last_delivered: list[tuple[str, bytes]] = field(default_factory=list)
    recorded: dict[str, int] = field(default_factory=dict)

    def configure(self, plan: Plan) -> None:
        """A flow that may move under this plan does so at its next packet or return, so nothing is believed of it."""
        self.plan = plan
        self.engine.configure(plan, self.now_s)
        for (endpoint, name), (believed, last_s) in self.believed.items():
            here = self._planned(endpoint)
            if here is not None and here.rebalance and self._state(endpoint, believed) is not TargetState.HEALTHY:
                self.believed[endpoint, name] = ("", last_s)

    def _planned(self, endpoint: str) -> EndpointPlan | None:
        return next((one for one in self.plan.endpoints if one.endpoint_id == endpoint), None)

    def _state(self, endpoint: str, address: str) -> TargetState | None:
        planned = self._planned(endpoint)
        targets = planned.targets if planned else ()
        return next((one.state for one in targets if one.address == address), None)

    def offer(self, endpoint: int, packets: list[bytes]) -> None:
        # The data path says right after a batch what the kernel refused of it, so of earlier ones nothing comes any more.
        self.last_sent, self.last_delivered = [], []
        if self._planned(ENDPOINTS[endpoint]) is None:
            return
        for packet in packets:
            before = self.engine.counters().endpoints[ENDPOINTS[endpoint]]
            sent = offer(self.engine, packet, endpoint=endpoint, now_s=self.now_s)
            after = self.engine.counters().endpoints[ENDPOINTS[endpoint]]
            dropped = _ingress_drops(after.dropped) - _ingress_drops(before.dropped)
            assert after.offered == before.offered + 1
            assert len(sent) + dropped == 1
            for one in sent:
                assert packet.startswith(one[0][OVERHEAD_BYTES:])
                begins = after.new_flows > before.new_flows or after.without_entry > before.without_entry
                self._check_target(ENDPOINTS[endpoint], one, new=begins)
                self.last_sent.append(one)
        self.sent = (self.sent + self.last_sent)[-40:]

    def _check_target(self, endpoint: str, sent: Sent, *, new: bool) -> None:
        kind, key, _, _ = classify(sent[0][OVERHEAD_BYTES:])
        name = (endpoint, flow_name(kind, key))
        believed, last_s = self.believed.get(name, ("", -1000.0))
        idle_timeout_s = 350 if kind == TCP else 120
        here = self._planned(endpoint)
        assert here is not None
        assert new or self.now_s - last_s < idle_timeout_s, "an idle flow went on"
        if not new:
            assert believed in (sent[1], ""), "a live flow changed its target"
        elif here.healthy_exists and here.stickiness is None:
            assert self._state(endpoint, sent[1]) is TargetState.HEALTHY
        self.believed[name] = (sent[1], self.now_s)

    def give_back(self, *datagrams: tuple[bytes, str, int]) -> None:
        self.last_delivered = give_back(self.engine, *datagrams, now_s=self.now_s)
        for endpoint, inner in self.last_delivered:
            kind, key, length, _ = classify(inner)
            assert length == len(inner)
            name = (endpoint, flow_name(kind, key))
            assert name in self.believed, "delivered what belongs to no flow"
            self.believed[name] = (self.believed[name][0], self.now_s)

    def pick(self, number: int) -> Sent | None:
        return self.sent[number % len(self.sent)] if self.sent else None

    def close(self) -> None:
        window = self.engine.close_window(self.now_s)
        assert set(window.endpoints) >= {*window.accepted.endpoint, *window.rejected.endpoint, *window.skipped}
        self.engine.forget_gone()
        accepted, rejected = window.accepted, window.rejected
        assert len(rejected) <= REJECTS_MAX
        for name, amount in (
            ("ingress", sum(accepted.ingress_packets)), ("egress", sum(accepted.egress_packets)),
            ("skipped", sum(window.skipped.values())),
            ("rejected", sum(rejected.packets)),
        ):
            self.recorded[name] = self.recorded.get(name, 0) + amount


def _ingress_drops(dropped: dict[DropReason, int]) -> int:
    return sum(packets for reason, packets in dropped.items() if DROP_REASONS[reason].hop is Hop.INGRESS)


def happen(world: World, event: tuple[object, ...]) -> None:
    """Let one event happen."""
    match event:
        case ("offer", int(endpoint), list(packets)):
            world.offer(endpoint, packets)
        case ("return", list(numbers)):
            world.give_back(*(bounce(one) for number in numbers if (one := world.pick(number))))
        case ("originate", int(number), bytes(packet)) if one := world.pick(number):
            payload, address, port = bounce(one)
            world.give_back((payload[:40] + packet, address, port))
        case ("impersonate", int(number)) if one := world.pick(number):
            payload, _, port = bounce(one)
            world.give_back((payload, "10.1.0.66", port))
            assert not world.last_delivered
        case ("forge", bytes(payload), int(port)):
            world.give_back((payload, "10.1.0.1", port))
        case ("garble", int(number), int(place), int(value)) if one := world.pick(number):
            payload, address, port = bounce(one)
            world.give_back((payload[:place] + bytes((value,)) + payload[place + 1:], address, port))
        case ("fail to send",) if world.last_sent:
            outer, _, endpoint = world.last_sent.pop()
            world.sent = [one for one in world.sent if one[0] != outer]
            world.engine.not_sent(outer, endpoint, world.now_s)
        case ("fail to deliver",) if world.last_delivered:
            world.engine.not_delivered(*world.last_delivered.pop(), world.now_s)
        case ("overflow", int(packets)) if world.plan.endpoints:
            world.engine.count_drops(world.plan.endpoints[0].endpoint_id, DropReason.RECEIVE_QUEUE_FULL, packets)
        case ("later", float(seconds)):
            world.now_s += seconds
            world.last_sent, world.last_delivered = [], []
        case ("expire", int(budget)):
            world.engine.expire(world.now_s, budget)
        case ("configure", Setting() as setting):
            world.configure(plan_from(setting))
            world.last_sent, world.last_delivered = [], []
        case ("close",):
            world.close()
            world.last_sent, world.last_delivered = [], []


@settings(max_examples=250, deadline=None)
@given(settings_of_plans, st.lists(events, min_size=15, max_size=50))
def test_the_invariants(first: Setting, sequence: list[tuple[object, ...]]) -> None:
    engine = Engine(flows_max=FLOWS_MAX, rejects_max=REJECTS_MAX, secret=SECRET)
    world = World(engine)
    world.configure(plan_from(first))
    for event in sequence:
        happen(world, event)
        assert_books_balance(engine)
        counters = engine.counters()
        assert counters.flows == counters.whole.active_flows <= FLOWS_MAX
        assert counters.flows == sum(one.active_flows for one in counters.targets)
    world.close()
    assert_records_add_up(world)


def assert_records_add_up(world: World) -> None:
    """Every packet is in one record or skipped: what was sent, what was delivered, what was refused."""
    whole = world.engine.counters().whole
    sent, delivered = whole.sent, whole.delivered
    refused = sum(packets for reason, packets in whole.dropped.items() if reason is not DropReason.NOT_RETURNED)
    recorded = world.recorded
    assert recorded["ingress"] <= sent
    assert recorded["egress"] <= delivered
    assert recorded["rejected"] <= refused
    assert sum(recorded.values()) == sent + delivered + refused
    assert recorded["skipped"] == whole.unrecorded + whole.dropped.get(DropReason.RECEIVE_QUEUE_FULL, 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=120), st.sampled_from(["10.1.0.1", "", "::"]), st.integers(0, 65_535))),
       st.lists(any_packets))
def test_no_bytes_raise_an_exception(datagrams: list[tuple[bytes, str, int]], packets: list[bytes]) -> None:
    engine = Engine(flows_max=FLOWS_MAX, rejects_max=REJECTS_MAX, secret=SECRET)
    engine.configure(plan_of(balancer(group([target(1)]))), 0.0)
    sent = offer(engine, *packets)
    assert len(sent) + _ingress_drops(engine.counters().endpoints[E0].dropped) == len(packets)
    assert give_back(engine, *datagrams) == []
    refused = engine.counters()
    counted = [refused.refused_unattributed, *(one.refused for one in refused.endpoints.values())]
    assert sum(sum(reasons.values()) for reasons in counted) == len(datagrams)


@pytest.mark.parametrize("stickiness", [None, "source_ip_dest_ip", "source_ip_dest_ip_proto"])
def test_names_of_flows_in_one_sticky_group_are_told_apart(stickiness: str | None) -> None:
    names = {flow_name(*classify(packet)[:2]) for packet in PACKETS[:12]}
    assert len(names) == 3
    if stickiness:
        assert len({sticky_name(*classify(packet)[:2], stickiness) for packet in PACKETS[:12]}) == 1
