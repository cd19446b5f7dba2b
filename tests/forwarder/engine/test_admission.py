"""Which target a flow gets, keeps and moves to, and when it may begin or ends."""

from __future__ import annotations

import pytest

from forwarder.capture.drop_reason import DropReason
from forwarder.desired import TargetState
from tests.forwarder.engine.connections import CLIENT, SERVER, data, dropped, ports_on, syn, target_of
from tests.forwarder.engine.examples import (
    E0,
    THREE,
    balancer,
    bounce,
    draining,
    engine,
    give_back,
    group,
    offer,
    plan,
    plan_of,
    target,
)
from tests.forwarder.wire.packets import ACK, FIN, RST, SYN, echo, ipv4, tcp, udp


def test_new_flows_are_spread_over_the_targets() -> None:
    made = engine()
    chosen = [target_of(made, syn(port)) for port in range(1, 301)]
    assert min(chosen.count(one.address) for one in THREE) > 60


@pytest.mark.parametrize("flags", [0, ACK, FIN, RST, SYN | ACK, FIN | ACK])
def test_a_tcp_packet_of_no_flow_is_dropped_unless_it_is_a_syn(flags: int) -> None:
    made = engine()
    assert target_of(made, tcp(CLIENT, 1, SERVER, 2, flags)) is None
    assert dropped(made) == {DropReason.UNKNOWN_FLOW: 1}
    assert len(offer(made, udp(CLIENT, 1, SERVER, 2), echo(CLIENT, SERVER))) == 2


def test_idle_tcp_needs_a_new_syn_and_idle_udp_does_not() -> None:
    made = engine(plan(of_balancer={"tcp_idle_timeout_s": 100}))
    offer(made, syn(1), data(1), udp(CLIENT, 1, SERVER, 53))
    assert target_of(made, data(1), now_s=99.9) is not None
    assert target_of(made, data(1), now_s=199.9) is None
    assert target_of(made, udp(CLIENT, 1, SERVER, 53), now_s=200.0) is not None
    assert target_of(made, syn(1), now_s=200.0) is not None
    assert dropped(made) == {DropReason.UNKNOWN_FLOW: 1}
    assert made.counters().endpoints[E0].new_flows == 4


def test_idle_udp_ends_at_120_seconds() -> None:
    made = engine()
    sent = offer(made, udp(CLIENT, 1, SERVER, 53))[0]
    assert len(give_back(made, bounce(sent), now_s=119.9)) == 1
    assert len(give_back(made, bounce(sent), now_s=119.9 + 119.9)) == 1, "what comes back keeps the flow alive"
    assert give_back(made, bounce(sent), now_s=119.9 + 119.9 + 120.0) == []


def test_a_packet_of_either_direction_keeps_the_flow() -> None:
    made = engine()
    first = target_of(made, syn(1))
    assert target_of(made, tcp(SERVER, 443, CLIENT, 1, ACK)) == first
    assert target_of(made, tcp(SERVER, 443, CLIENT, 1, ACK), now_s=349.0) == first
    assert target_of(made, data(1), now_s=349.0 + 349.0) == first


def test_a_closed_flow_lives_on_until_a_syn_begins_another() -> None:
    made = engine()
    closing = [
        tcp(CLIENT, 1, SERVER, 443, FIN | ACK), data(1), tcp(SERVER, 443, CLIENT, 1, FIN | ACK), data(1),
    ]
    assert len(offer(made, syn(1), *closing)) == 5
    assert made.counters().endpoints[E0].new_flows == 1
    assert len(offer(made, syn(1), data(1))) == 2
    assert made.counters().endpoints[E0].new_flows == 2
    offer(made, tcp(SERVER, 443, CLIENT, 1, RST))
    offer(made, syn(1), syn(1))
    assert made.counters().endpoints[E0].new_flows == 3, "the second SYN is a retransmission"
    assert made.counters().endpoints[E0].active_flows == 1


def test_no_registered_target_in_the_zone_is_a_drop() -> None:
    made = engine(plan([target(1, zone=1)]))
    assert target_of(made, syn(1)) is None
    assert target_of(made, syn(1), endpoint=2) == "10.1.1.1"
    assert dropped(made) == {DropReason.NO_TARGET: 1}


def test_all_unhealthy_goes_to_some_registered_target_and_stays_there() -> None:
    made = engine(plan([target(number, TargetState.UNHEALTHY) for number in (1, 2, 3)]))
    chosen = {port: target_of(made, syn(port)) for port in range(1, 100)}
    assert set(chosen.values()) == {"10.1.0.1", "10.1.0.2", "10.1.0.3"}
    made.configure(plan([target(1), *(target(number, TargetState.UNHEALTHY) for number in (2, 3))]), 1.0)
    assert {port: target_of(made, data(port), now_s=1.0) for port in chosen} == chosen


SICK = [target(1, TargetState.UNHEALTHY), target(2), target(3)]


@pytest.mark.parametrize(("now", "rebalance", "moves"), [
    (SICK, False, False),
    (SICK, True, True),
    ([draining(1), target(2), target(3)], False, False),
    ([draining(1), target(2), target(3)], True, False),
    ([target(2), target(3)], False, False),
    ([target(2), target(3)], True, True),
    ([target(number, TargetState.UNHEALTHY) for number in (1, 2, 3)], True, False),
    ([], True, False),
], ids=[
    "sick, no_rebalance", "sick, rebalance", "draining, no_rebalance", "draining, rebalance", "gone, no_rebalance",
    "gone, rebalance", "all sick, rebalance", "none left, rebalance",
])
@pytest.mark.parametrize("stickiness", [None, "source_ip_dest_ip", "source_ip_dest_ip_proto"])
def test_what_existing_flows_do_when_their_target_fails(
    now: list[object], rebalance: bool, moves: bool, stickiness: str | None
) -> None:
    made = engine(plan(rebalance=rebalance, stickiness=stickiness))
    clients = [f"10.0.1.{number}" for number in range(1, 100)]
    victims = [client for client in clients if target_of(made, udp(client, 1, SERVER, 53)) == "10.1.0.1"]
    others = {client: target_of(made, udp(client, 1, SERVER, 53)) for client in clients if client not in victims}
    made.configure(plan(now, rebalance=rebalance, stickiness=stickiness), 1.0)  # type: ignore[arg-type]
    after = [target_of(made, udp(client, 1, SERVER, 53), now_s=1.0) for client in victims]
    assert len(victims) > 10
    assert set(after) == ({"10.1.0.2", "10.1.0.3"} if moves else {"10.1.0.1"})
    assert {client: target_of(made, udp(client, 1, SERVER, 53), now_s=1.0) for client in others} == others


def test_new_flows_avoid_a_sick_target_and_return_when_it_is_well() -> None:
    made = engine()
    made.configure(plan(SICK), 1.0)
    assert {target_of(made, syn(port), now_s=1.0) for port in range(1, 100)} == {"10.1.0.2", "10.1.0.3"}
    kept = {port: target_of(made, data(port), now_s=2.0) for port in range(1, 100)}
    made.configure(plan(), 3.0)
    assert {port: target_of(made, data(port), now_s=3.0) for port in range(1, 100)} == kept
    assert {target_of(made, syn(port), now_s=3.0) for port in range(200, 300)} == {one.address for one in THREE}


def test_a_moved_flow_is_counted_at_its_new_target() -> None:
    made = engine(plan(rebalance=True))
    ports_on(made, "10.1.0.1", 5)
    made.configure(plan(SICK, rebalance=True), 1.0)
    for port in range(1, 400):
        target_of(made, data(port), now_s=1.0)
    active = {one.address: one.active_flows for one in made.counters().targets}
    assert active["10.1.0.1"] == 0
    assert sum(active.values()) == made.counters().endpoints[E0].active_flows


def test_after_a_move_the_old_targets_datagrams_are_refused() -> None:
    made = engine(plan(rebalance=True))
    port = ports_on(made, "10.1.0.1", 1)[0]
    old = offer(made, data(port))[0]
    made.configure(plan(SICK, rebalance=True), 1.0)
    new = offer(made, data(port), now_s=1.0)[0]
    assert give_back(made, bounce(old), now_s=1.0) == []
    assert len(give_back(made, bounce(new), now_s=1.0)) == 1
    assert made.counters().endpoints[E0].refused == {DropReason.RETURN_WRONG_TARGET: 1}


@pytest.mark.parametrize(("stickiness", "same"), [
    (None, []),
    ("source_ip_dest_ip_proto", ["other ports", "fragment"]),
    ("source_ip_dest_ip", ["other ports", "fragment", "udp", "icmp"]),
])
def test_stickiness_says_which_flows_share_a_target(stickiness: str | None, same: list[str]) -> None:
    """A target that is alike by chance for one pair of hosts is not alike for all of many."""
    made = engine(plan(stickiness=stickiness), flows_max=5000)
    alike: dict[str, bool] = {"other ports": True, "fragment": True, "udp": True, "icmp": True}
    for number in range(1, 60):
        client = f"10.0.1.{number}"
        first = target_of(made, tcp(client, 1, SERVER, 443, SYN))
        others = {
            "other ports": tcp(client, 2, SERVER, 80, SYN), "fragment": ipv4(client, SERVER, 6, b"x", fragment=99),
            "udp": udp(client, 1, SERVER, 443), "icmp": echo(client, SERVER),
        }
        for name, packet in others.items():
            alike[name] &= target_of(made, packet) == first
    assert [name for name, is_alike in alike.items() if is_alike] == same


def test_with_stickiness_the_3_tuple_is_the_flow_so_it_needs_no_syn_of_its_own() -> None:
    made = engine(plan(stickiness="source_ip_dest_ip_proto"))
    first = target_of(made, syn(1))
    assert target_of(made, data(1)) == first
    assert target_of(made, data(2), now_s=300.0) == first
    assert target_of(made, data(1), now_s=649.0) == first, "its own idle time is over, that of the 3-tuple is not"
    assert target_of(made, data(1), now_s=649.0 + 350.0) is None


def test_a_shared_binding_keeps_its_target_while_another_becomes_well() -> None:
    sticky = {"stickiness": "source_ip_dest_ip"}
    made = engine(plan(SICK, **sticky))
    clients = [f"10.0.1.{number}" for number in range(1, 60)]
    first = [target_of(made, udp(client, 1, SERVER, 53)) for client in clients]
    made.configure(plan(**sticky), 1.0)
    assert [target_of(made, udp(client, 2, SERVER, 53), now_s=1.0) for client in clients] == first


def test_flows_end_when_their_load_balancer_does() -> None:
    made = engine()
    sent = offer(made, syn(1))[0]
    made.configure(plan_of(balancer(group(), name="another", arn="arn:another")), 1.0)
    assert target_of(made, data(1), now_s=1.0) is None
    assert give_back(made, bounce(sent), now_s=1.0) == []
    assert target_of(made, syn(1), now_s=1.0) is not None


def test_flows_survive_a_listener_that_is_made_again() -> None:
    made = engine()
    first = target_of(made, syn(1))
    made.configure(plan_of(balancer(None)), 1.0)
    assert target_of(made, data(1), now_s=1.0) is None
    assert dropped(made) == {DropReason.NO_LISTENER: 1}
    made.configure(plan(), 2.0)
    assert target_of(made, data(1), now_s=2.0) == first


def test_expire_forgets_idle_flows() -> None:
    made = engine()
    offer(made, *(packet for port in range(5) for packet in (syn(port), data(port))), udp(CLIENT, 1, SERVER, 53))
    made.expire(120.0, 100)
    assert made.counters().flows == 5
    made.expire(350.0, 2)
    assert made.counters().flows == 3
    made.expire(350.0, 100)
    counters = made.counters()
    assert (counters.flows, counters.endpoints[E0].active_flows) == (0, 0)
    assert sum(one.active_flows for one in counters.targets) == 0


def test_half_open_flows_go_after_thirty_seconds() -> None:
    made = engine()
    offer(made, syn(1), syn(2))
    offer(made, syn(2), now_s=20.0)  # sent again: still nobody has answered
    made.expire(29.9, 10)
    assert made.counters().flows == 2
    made.expire(30.0, 10)
    assert made.counters().flows == 1
    assert target_of(made, data(1), now_s=30.0) is None
    made.expire(50.0, 10)
    assert made.counters().flows == 0


@pytest.mark.parametrize("packet", [
    tcp(SERVER, 443, CLIENT, 1, SYN | ACK), data(1), tcp(CLIENT, 1, SERVER, 443, FIN | ACK),
], ids=["an answer", "the opener goes on", "the opener ends"])
def test_what_settles_a_flow(packet: bytes) -> None:
    made = engine()
    offer(made, syn(1), packet)
    made.expire(349.9, 10)
    assert made.counters().flows == 1
    made.expire(350.0, 10)
    assert made.counters().flows == 0


def test_a_listener_with_a_shorter_timeout_holds_for_half_open_flows_too() -> None:
    made = engine(plan(of_balancer={"tcp_idle_timeout_s": 60}))
    offer(made, syn(1))
    made.configure(plan(of_balancer={"tcp_idle_timeout_s": 100}), 1.0)
    assert target_of(made, data(1), now_s=29.0) is not None
    assert target_of(made, data(1), now_s=29.0 + 99.0) is not None
    assert target_of(made, data(1), now_s=29.0 + 99.0 + 100.0) is None


def test_equal_addresses_behind_two_endpoints_are_two_flows() -> None:
    made = engine()
    offer(made, syn(1), endpoint=0)
    assert target_of(made, data(1), endpoint=1) is None
    offer(made, syn(1), endpoint=1)
    assert made.counters().flows == 2


def test_a_target_that_is_gone_is_forgotten_when_its_last_flow_is() -> None:
    made = engine()
    port = ports_on(made, "10.1.0.1", 1)[0]
    made.configure(plan([target(2), target(3)]), 1.0)
    assert target_of(made, data(port), now_s=1.0) == "10.1.0.1"
    assert "10.1.0.1" in {one.address for one in made.counters().targets}
    made.expire(2000.0, 10_000)
    made.configure(plan([target(2), target(3)]), 2000.0)
    assert "10.1.0.1" not in {one.address for one in made.counters().targets}


def test_a_clock_that_is_set_ends_no_flow_and_keeps_none_beyond_its_time() -> None:
    made = engine(plan(stickiness="source_ip_dest_ip"))
    first = target_of(made, syn(1), now_s=1000.0)
    offer(made, data(1), now_s=1000.0)
    made.clock_stepped(3600.0)
    assert target_of(made, data(1), now_s=4700.0) == first, "100 s by the clock that only runs forward"
    made.clock_stepped(-86_400.0)
    assert target_of(made, data(1), now_s=4700.0 - 86_400.0 + 349.0) == first
    made.expire(4700.0 - 86_400.0 + 349.0 + 350.0, 10)
    assert made.counters().flows == 0


def test_a_shorter_idle_timeout_frees_the_table_of_silent_flows() -> None:
    made = engine(plan(of_balancer={"tcp_idle_timeout_s": 6000}))
    offer(made, syn(1), data(1), now_s=0.0)
    made.configure(plan(of_balancer={"tcp_idle_timeout_s": 60}), 70.0)
    made.expire(70.0, 10)
    assert made.counters().flows == 0


def test_a_listener_that_is_away_for_a_moment_shortens_nothing() -> None:
    made = engine(plan(of_balancer={"tcp_idle_timeout_s": 6000}))
    first = target_of(made, syn(1), now_s=0.0)
    offer(made, data(1), now_s=0.0)
    made.configure(plan_of(balancer(None)), 10.0)
    made.configure(plan(of_balancer={"tcp_idle_timeout_s": 6000}), 20.0)
    assert target_of(made, data(1), now_s=1000.0) == first
