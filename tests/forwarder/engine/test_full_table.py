"""A full flow table: who gives way, and what becomes of packets that find no room even so."""

from __future__ import annotations

import gc

import pytest

from forwarder.capture.drop_reason import DropReason
from forwarder.engine.engine import Engine
from forwarder.engine.flow import Flow
from tests.forwarder.engine.connections import CLIENT, SERVER, data, dropped, is_there, syn, target_of
from tests.forwarder.engine.examples import (
    E0,
    THREE,
    bounce,
    engine,
    give_back,
    offer,
    plan,
)
from tests.forwarder.wire.packets import ACK, FIN, RST, SYN, tcp, udp


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
