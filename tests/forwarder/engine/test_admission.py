"""Which target a flow gets, keeps and moves to, and when it may begin or ends."""

from __future__ import annotations

import gc

import pytest

from forwarder.capture.drop_reason import DropReason
from forwarder.desired import TargetState
from forwarder.engine.engine import Engine
from forwarder.engine.flow import Flow
from tests.forwarder.engine.examples import (
    E0,
    ENDPOINTS,
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

CLIENT, SERVER = "10.0.1.10", "203.0.113.7"


def syn(port: int) -> bytes:
    return tcp(CLIENT, port, SERVER, 443, SYN)


def data(port: int) -> bytes:
    return tcp(CLIENT, port, SERVER, 443, ACK)


def target_of(made: Engine, packet: bytes, now_s: float = 0.0, endpoint: int = 0) -> str | None:
    """The target a packet is sent to, None if it is refused."""
    sent = offer(made, packet, endpoint=endpoint, now_s=now_s)
    return sent[0][1] if sent else None


def ports_on(made: Engine, address: str, count: int) -> list[int]:
    """Source ports whose flows go to that target; the flows are begun."""
    found = [port for port in range(1, 400) if target_of(made, syn(port)) == address]
    assert len(found) >= count
    return found[:count]


def dropped(made: Engine, endpoint: int = 0) -> dict[DropReason, int]:
    counts = made.counters().endpoints[ENDPOINTS[endpoint]].dropped
    return {reason: packets for reason, packets in counts.items() if reason is not DropReason.NOT_RETURNED}


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


def full_of_used_flows(flows_max: int = 3) -> Engine:
    """Its flows were used at second 10."""
    made = engine(flows_max=flows_max)
    for port in range(flows_max):
        assert len(offer(made, syn(port), data(port), now_s=10.0)) == 2
    return made


def test_a_full_table_makes_room_when_flows_idle_out() -> None:
    made = full_of_used_flows()
    assert len(offer(made, syn(7), now_s=360.0)) == 1, "room is made without a call of expire"
    assert made.counters().flows <= 3
    assert made.counters().endpoints[E0].without_entry == 0


@pytest.mark.parametrize("stickiness", [None, "source_ip_dest_ip", "source_ip_dest_ip_proto"])
def test_what_finds_no_room_goes_where_it_would_go_with_an_entry(stickiness: str | None) -> None:
    roomy, made = engine(plan(stickiness=stickiness)), engine(plan(stickiness=stickiness), flows_max=1)
    offer(made, udp("10.0.1.99", 9, SERVER, 53))
    ports = range(20_000, 20_040)
    assert [target_of(made, syn(port)) for port in ports] == [target_of(roomy, syn(port)) for port in ports]
    counted = made.counters()
    assert (counted.flows, counted.gave_way, counted.endpoints[E0].without_entry) == (1, {}, 40)
    assert dropped(made) == {}


def test_a_whole_connection_passes_without_an_entry() -> None:
    made = full_of_used_flows()
    answer = tcp(SERVER, 443, CLIENT, 9, SYN | ACK)
    sent = offer(made, syn(9), answer, data(9), tcp(SERVER, 443, CLIENT, 9, FIN | ACK), tcp(CLIENT, 9, SERVER, 443, FIN | ACK), now_s=11.0)
    assert len({address for _, address, _ in sent}) == 1
    assert give_back(made, *(bounce(one) for one in sent), now_s=11.0) == [(E0, one[0][68:]) for one in sent]
    end = made.counters().endpoints[E0]
    assert (end.without_entry, end.sent, end.returned, end.originated) == (5, 11, 5, 0)
    window = made.close_window(12.0)
    assert sum(window.skipped.values()) == end.unrecorded == 10, "there and back, in no record"
    assert made.counters().flows == 3


def test_a_flow_without_an_entry_gets_one_where_it_is_once_there_is_room() -> None:
    made = full_of_used_flows()
    first = offer(made, syn(9), now_s=11.0)
    late = offer(made, data(9), now_s=15.0)
    assert made.counters().flows == 3
    assert made.counters().endpoints[E0].new_flows == 3
    made.expire(360.0, 10)
    again = offer(made, data(9), now_s=360.0)
    assert made.counters().flows == 1
    assert len({address for _, address, _ in (*first, *late, *again)}) == 1
    assert len(give_back(made, bounce(late[0]), bounce(again[0]), now_s=360.0)) == 2, "port and cookie are the same"


def test_without_an_entry_only_what_its_target_got_comes_back() -> None:
    made = full_of_used_flows()
    payload, address, port = bounce(offer(made, syn(9), now_s=11.0)[0])
    other = next(one.address for one in THREE if one.address != address)
    wrong_cookie = payload[:36] + bytes((payload[36] ^ 1,)) + payload[37:]
    assert give_back(made, (payload, other, port), (payload, address, port ^ 1), (wrong_cookie, address, port), now_s=11.0) == []
    assert made.counters().endpoints[E0].refused == {
        DropReason.RETURN_WRONG_TARGET: 1, DropReason.RETURN_WRONG_PORT: 1, DropReason.RETURN_WRONG_COOKIE: 1,
    }


def test_packets_of_no_flow_are_refused_again_once_every_flow_without_an_entry_would_be_over() -> None:
    made = full_of_used_flows()
    offer(made, syn(9), now_s=11.0)
    assert target_of(made, data(70), now_s=360.9) is not None, "it may be one that found no room"
    assert target_of(made, data(71), now_s=711.0) is None
    assert dropped(made) == {DropReason.UNKNOWN_FLOW: 1}
    unknown = tcp(SERVER, 443, CLIENT, 72, ACK)
    sent = offer(made, syn(73), now_s=712.0)[0]
    payload, address, port = bounce(sent)
    assert give_back(made, (payload[:40] + unknown, address, port), now_s=712.0) == []
    assert made.counters().endpoints[E0].refused == {DropReason.RETURN_UNKNOWN_FLOW: 1}


def test_a_flow_that_gave_way_because_it_was_idle_is_taken_up_again() -> None:
    made = full_of_used_flows(1)
    first = target_of(made, data(0), now_s=10.0)
    assert target_of(made, syn(1), now_s=25.0) is not None
    assert made.counters().gave_way == {"idle": 1}
    assert target_of(made, data(0), now_s=26.0) == first
    assert made.counters().gave_way == {"idle": 1, "half_open": 1}


def test_what_the_kernel_did_not_send_of_a_flow_without_an_entry_is_no_packet_in_flight() -> None:
    made = full_of_used_flows()
    sent = offer(made, syn(9), now_s=11.0)[0]
    made.not_sent(sent[0], E0, 11.0)
    end = made.counters().endpoints[E0]
    assert (end.sent, end.returned, end.dropped[DropReason.SEND_FAILED]) == (6, 0, 1)
    assert end.not_returned == 6, "those of the three flows"
    assert sum(one.sent_packets for one in made.counters().targets) == 6


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


def is_there(made: Engine, port: int, now_s: float) -> bool:
    """Whether the flow has an entry."""
    before = made.counters().endpoints[E0]
    offer(made, data(port), now_s=now_s)
    after = made.counters().endpoints[E0]
    return (after.without_entry, after.new_flows) == (before.without_entry, before.new_flows)


def test_the_oldest_half_open_flow_gives_way_first_then_closed_ones_then_the_one_idle_longest() -> None:
    made = engine(flows_max=4)
    for port in (1, 2):
        offer(made, syn(port), data(port), now_s=0.0)
    offer(made, tcp(CLIENT, 2, SERVER, 443, RST), now_s=0.0)
    offer(made, syn(3), now_s=1.0)
    offer(made, syn(4), now_s=2.0)
    for port in (5, 6):  # in the room of 3, then 4
        assert len(offer(made, syn(port), data(port), now_s=10.0)) == 2
    assert made.counters().gave_way == {"half_open": 2}
    assert len(offer(made, syn(7), data(7), now_s=11.0)) == 2  # of 2, which is closed
    assert made.counters().gave_way == {"half_open": 2, "closed": 1}
    assert len(offer(made, syn(8), data(8), now_s=12.0)) == 2  # of 1, idle for 12 s
    assert made.counters().gave_way == {"half_open": 2, "closed": 1, "idle": 1}
    assert len(offer(made, syn(9), now_s=13.0)) == 1, "5 to 8 were used a moment ago"
    counted = made.counters()
    assert (counted.flows, counted.gave_way, counted.endpoints[E0].without_entry) == (4, {"half_open": 2, "closed": 1, "idle": 1}, 1)
    assert [port for port in range(1, 10) if is_there(made, port, now_s=13.0)] == [5, 6, 7, 8]


def test_opening_and_resetting_one_connection_for_ever_leaves_nothing_behind() -> None:
    gc.collect()
    flows_before = sum(isinstance(each, Flow) for each in gc.get_objects())
    made = engine(flows_max=100)
    offer(made, syn(1), tcp(CLIENT, 1, SERVER, 443, RST), syn(2))  # stay at the head of what waits
    for _ in range(5_000):
        offer(made, syn(3), tcp(CLIENT, 3, SERVER, 443, RST))
        made.close_window(0.0)
    assert made.counters().flows == 3
    gc.collect()
    # What expiry has not come to yet: the heap is swept at twice `flows_max`.
    assert sum(isinstance(each, Flow) for each in gc.get_objects()) <= flows_before + 200


def test_whoever_floods_drives_out_his_own() -> None:
    """6,000 opening packets a second, thirty times as many flows as there is room for; somebody's connections go on."""
    made, now_s, refused = engine(flows_max=2_000), 0.0, 0
    for second in range(10):
        for part in range(10):
            now_s = second + part / 10
            flood = [tcp("198.51.100.7", 1024 + (6_000 * second + 600 * part + number) % 60_000, SERVER, 443, SYN) for number in range(600)]
            offer(made, *flood, now_s=now_s)
            port = 100 * second + part
            refused += len(offer(made, syn(port), now_s=now_s)) != 1
            refused += len(offer(made, tcp(SERVER, 443, CLIENT, port, SYN | ACK), data(port), now_s=now_s + 0.05)) != 2
    assert refused == 0
    counters = made.counters()
    assert counters.flows == 2_000
    assert sum(counters.gave_way.values()) == counters.endpoints[E0].new_flows - 2_000
    assert all(is_there(made, port, now_s=now_s) for port in range(0, 900, 100))
    end = counters.endpoints[E0]
    assert end.offered + end.originated == end.delivered + sum(end.dropped.values())


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
