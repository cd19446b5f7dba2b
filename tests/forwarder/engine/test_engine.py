"""The engine packet by packet: what goes out, what comes back, what is refused, and what is counted and recorded."""

from __future__ import annotations

import gc
from dataclasses import fields, replace

import pytest

from forwarder.capture.counters import EndpointCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.engine.engine import Datagram, Engine
from forwarder.engine.flow import Flow, Part
from forwarder.engine.flow_table import EndpointFlows
from forwarder.engine.window import AcceptedFlows
from forwarder.plan import Plan
from forwarder.wire.geneve_codec import OVERHEAD_BYTES, decapsulate
from forwarder.wire.geneve_layers import ScapyCodec
from tests.forwarder.engine.examples import (
    E0,
    E1,
    E2,
    E3,
    ENDPOINTS,
    SECRET,
    THREE,
    balancer,
    bounce,
    engine,
    give_back,
    offer,
    plan,
    plan_of,
    target,
)
from tests.forwarder.wire.packets import ACK, FIN, RST, SYN, echo, tcp, udp

CLIENT, SERVER = "10.0.1.10", "203.0.113.7"
CLIENT6, SERVER6 = "2001:db8:1::10", "2001:db8:ffff::7"
REQUEST = tcp(CLIENT, 40_000, SERVER, 443, SYN)
ANSWER = tcp(SERVER, 443, CLIENT, 40_000, SYN | ACK)


def of_endpoint(made: Engine, endpoint: int = 0) -> EndpointCounters:
    return made.counters().endpoints[ENDPOINTS[endpoint]]


def assert_books_balance(made: Engine) -> None:
    """The sums of `counters.py`."""
    for counters in (*made.counters().endpoints.values(), made.counters().gone):
        dropped = sum(counters.dropped.values())
        late = counters.dropped.get(DropReason.DELIVER_FAILED, 0)
        assert counters.not_returned == counters.dropped.get(DropReason.NOT_RETURNED, 0) >= 0
        assert counters.offered == counters.sent + dropped - counters.not_returned - late
        assert counters.sent + counters.originated == counters.returned + counters.not_returned
        assert counters.returned == counters.delivered + late
        assert counters.offered + counters.originated == counters.delivered + dropped


def test_a_packet_is_wrapped_for_its_target() -> None:
    made = engine()
    (outer, address, endpoint), = offer(made, REQUEST)
    header = decapsulate(outer[28:])
    assert endpoint == E0
    assert address in {one.address for one in THREE}
    assert outer[12:20] == bytes((10, 1, 0, 200)) + bytes(map(int, address.split(".")))
    assert int.from_bytes(outer[20:22], "big") in range(49_152, 65_536)
    assert int.from_bytes(outer[22:24], "big") == 6081
    assert (header.endpoint_number, header.attachment_number, header.protocol) == (0xA0, 0xA0, 0x0800)
    assert outer[OVERHEAD_BYTES:] == REQUEST


@pytest.mark.parametrize(("request_packet", "answer"), [
    (REQUEST, ANSWER),
    (tcp(CLIENT6, 40_000, SERVER6, 443, SYN), tcp(SERVER6, 443, CLIENT6, 40_000, SYN | ACK)),
    (udp(CLIENT, 5353, SERVER, 53), udp(SERVER, 53, CLIENT, 5353)),
    (udp(CLIENT6, 5353, SERVER6, 53), udp(SERVER6, 53, CLIENT6, 5353)),
    (echo(CLIENT, SERVER), echo(SERVER, CLIENT)),
    (echo(CLIENT6, SERVER6), echo(SERVER6, CLIENT6)),
], ids=["tcp4", "tcp6", "udp4", "udp6", "icmp", "icmpv6"])
def test_both_directions_go_by_one_target_and_come_back(request_packet: bytes, answer: bytes) -> None:
    made = engine()
    there, = offer(made, request_packet)
    back, = offer(made, answer)
    assert (there[1], bounce(there)[2]) == (back[1], bounce(back)[2])
    assert there[0][28:OVERHEAD_BYTES] == back[0][28:OVERHEAD_BYTES], "one GENEVE header for the flow"
    assert give_back(made, bounce(there), bounce(back)) == [(E0, request_packet), (E0, answer)]
    assert of_endpoint(made).dropped == {}
    assert_books_balance(made)


def test_padding_is_cut_off_both_ways() -> None:
    made = engine()
    sent, = offer(made, REQUEST + bytes(6))
    assert sent[0][OVERHEAD_BYTES:] == REQUEST
    payload, address, port = bounce(sent)
    assert give_back(made, (payload + bytes(6), address, port)) == [(E0, REQUEST)]
    assert of_endpoint(made).sent_bytes == of_endpoint(made).returned_bytes == len(REQUEST)


@pytest.mark.parametrize(("size", "sent"), [(8500, 1), (8501, 0)])
def test_8500_bytes_pass_and_8501_do_not(size: int, sent: int) -> None:
    made = engine()
    packet = udp(CLIENT, 1, SERVER, 2, bytes(size - 28))
    assert len(packet) == size
    assert len(offer(made, packet)) == sent
    assert of_endpoint(made).dropped.get(DropReason.OVERSIZE, 0) == 1 - sent
    assert_books_balance(made)


@pytest.mark.parametrize(("made", "endpoint", "packet", "reason"), [
    (engine(), 3, REQUEST, DropReason.NO_LOAD_BALANCER),
    (engine(plan_of(balancer(None))), 0, REQUEST, DropReason.NO_LISTENER),
    (engine(plan_of(balancer(None))), 0, b"\x45", DropReason.MALFORMED),
    (engine(plan([])), 0, REQUEST, DropReason.NO_TARGET),
    (engine(), 0, b"", DropReason.MALFORMED),
    (engine(), 0, ANSWER, DropReason.UNKNOWN_FLOW),
], ids=lambda value: value.value if isinstance(value, DropReason) else "")
def test_what_is_not_sent_is_counted_and_recorded(
    made: Engine, endpoint: int, packet: bytes, reason: DropReason
) -> None:
    assert offer(made, packet, packet, endpoint=endpoint) == []
    assert of_endpoint(made, endpoint).dropped == {reason: 2}
    assert of_endpoint(made, endpoint).rejected_flows == 1
    assert of_endpoint(made, endpoint).rejected_flows_tcp == (reason is not DropReason.MALFORMED)
    rejected = made.close_window(1.0).rejected
    assert (rejected.endpoint, rejected.reason, rejected.packets) == ([ENDPOINTS[endpoint]], [reason], [2])
    assert rejected.bytes == [2 * len(packet)]
    assert_books_balance(made)


def options_reversed(datagram: Datagram) -> Datagram:
    payload, address, port = datagram
    return payload[:8] + payload[32:40] + payload[20:32] + payload[8:20] + payload[40:], address, port


def test_a_target_may_order_the_options_as_it_likes() -> None:
    made = engine()
    sent, = offer(made, REQUEST)
    assert give_back(made, options_reversed(bounce(sent))) == [(E0, REQUEST)]


def changed(datagram: Datagram, place: int, value: bytes) -> Datagram:
    payload, address, port = datagram
    return payload[:place] + value + payload[place + len(value):], address, port


SENT, = offer(engine(), REQUEST)
GOOD = bounce(SENT)
OTHER_FLOW = udp(CLIENT, 7, SERVER, 7)


@pytest.mark.parametrize(("datagram", "reason", "attributed"), [
    (changed(GOOD, 0, b"\x48"), DropReason.RETURN_MALFORMED, False),
    ((GOOD[0][:39], *GOOD[1:]), DropReason.RETURN_MALFORMED, False),
    ((b"", *GOOD[1:]), DropReason.RETURN_MALFORMED, False),
    (changed(GOOD, 12, b"\xff"), DropReason.RETURN_UNKNOWN_ENDPOINT, False),
    ((GOOD[0][:40], *GOOD[1:]), DropReason.RETURN_INNER_MALFORMED, True),
    ((GOOD[0][:-1], *GOOD[1:]), DropReason.RETURN_INNER_MALFORMED, True),
    ((GOOD[0][:40] + udp(CLIENT, 1, SERVER, 2, bytes(8473)), *GOOD[1:]), DropReason.RETURN_OVERSIZE, True),
    (changed(GOOD, 2, b"\x86\xdd"), DropReason.RETURN_WRONG_PROTOCOL, True),
    ((GOOD[0][:40] + OTHER_FLOW, *GOOD[1:]), DropReason.RETURN_UNKNOWN_FLOW, True),
    ((GOOD[0], "10.1.0.99", GOOD[2]), DropReason.RETURN_WRONG_TARGET, True),
    ((*GOOD[:2], 6081), DropReason.RETURN_WRONG_PORT, True),
    (changed(GOOD, 39, bytes((GOOD[0][39] ^ 1,))), DropReason.RETURN_WRONG_COOKIE, True),
    (changed(options_reversed(GOOD), 15, bytes((GOOD[0][39] ^ 1,))), DropReason.RETURN_WRONG_COOKIE, True),
], ids=lambda value: value.value if isinstance(value, DropReason) else "")
def test_a_wrong_datagram_is_refused_and_counted(datagram: Datagram, reason: DropReason, attributed: bool) -> None:
    made = engine()
    assert offer(made, REQUEST) == [SENT], "the same secret and order give the same packets"
    assert give_back(made, datagram) == []
    counters = made.counters()
    assert counters.refused_unattributed == ({} if attributed else {reason: 1})
    assert counters.endpoints[E0].refused == ({reason: 1} if attributed else {})
    assert counters.endpoints[E0].dropped == {DropReason.NOT_RETURNED: 1}
    assert_books_balance(made)
    assert give_back(made, GOOD) == [(E0, REQUEST)], "and the right one still passes"


def test_an_attachment_number_may_come_back_changed() -> None:
    """Nothing is decided by it, and appliances treat it as opaque."""
    made = engine()
    offer(made, REQUEST)
    assert give_back(made, changed(GOOD, 24, bytes(8))) == [(E0, REQUEST)]


def test_an_endpoint_number_of_another_endpoint_is_no_way_in() -> None:
    made = engine()
    offer(made, REQUEST)
    assert give_back(made, changed(GOOD, 12, (0xA1).to_bytes(8, "big"))) == []
    assert of_endpoint(made, 1).refused == {DropReason.RETURN_UNKNOWN_FLOW: 1}


def test_a_denied_packet_is_not_returned_and_an_answer_to_it_is_originated() -> None:
    made = engine()
    sent, = offer(made, REQUEST)
    assert of_endpoint(made).dropped == {DropReason.NOT_RETURNED: 1}
    payload, address, port = bounce(sent)
    reset = tcp(SERVER, 443, CLIENT, 40_000, RST)
    assert give_back(made, (payload[:40] + reset, address, port)) == [(E0, reset)]
    counters = of_endpoint(made)
    assert (counters.originated, counters.not_returned, counters.delivered) == (1, 1, 1)
    assert_books_balance(made)


def test_what_came_twice_is_originated_until_more_is_sent() -> None:
    made = engine()
    sent, = offer(made, REQUEST)
    give_back(made, bounce(sent), bounce(sent))
    assert (of_endpoint(made).originated, of_endpoint(made).not_returned) == (1, 0)
    offer(made, tcp(CLIENT, 40_000, SERVER, 443))
    assert (of_endpoint(made).originated, of_endpoint(made).not_returned) == (0, 0)
    assert_books_balance(made)


def test_books_stay_right_when_flows_expire() -> None:
    made = engine()
    sent = offer(made, *(udp(CLIENT, port, SERVER, 53) for port in range(10)))
    give_back(made, *map(bounce, sent[:4]), bounce(sent[0]))
    made.expire(1000.0, 100)
    counters = of_endpoint(made)
    assert (counters.active_flows, counters.not_returned, counters.originated) == (0, 6, 1)
    assert_books_balance(made)


def test_a_packet_that_could_not_be_sent_is_moved_to_the_dropped() -> None:
    made = engine()
    first, second = offer(made, REQUEST, tcp(CLIENT, 40_000, SERVER, 443), now_s=1.0)
    made.not_sent(second[0], E0, 1.0)
    counters = of_endpoint(made)
    assert (counters.sent, counters.dropped) == (1, {DropReason.SEND_FAILED: 1, DropReason.NOT_RETURNED: 1})
    assert sum(one.sent_packets for one in made.counters().targets) == 1
    assert_books_balance(made)
    window = made.close_window(2.0)
    assert (window.accepted.ingress_packets, window.accepted.ingress_bytes) == ([1], [40])
    assert (window.rejected.reason, window.rejected.packets) == ([DropReason.SEND_FAILED], [1])
    give_back(made, bounce(first))
    assert of_endpoint(made).not_returned == 0


def test_a_packet_that_could_not_be_delivered_is_moved_too() -> None:
    made = engine()
    sent, = offer(made, REQUEST)
    (endpoint, inner), = give_back(made, bounce(sent), now_s=1.0)
    made.not_delivered(endpoint, inner, 1.0)
    counters = of_endpoint(made)
    assert (counters.returned, counters.delivered, counters.delivered_bytes) == (1, 0, 0)
    assert counters.dropped == {DropReason.DELIVER_FAILED: 1}
    assert_books_balance(made)
    window = made.close_window(2.0)
    assert (window.accepted.ingress_packets, window.accepted.egress_packets) == ([1], [0])
    assert (window.rejected.reason, window.rejected.packets) == ([DropReason.DELIVER_FAILED], [1])


def test_a_failure_told_after_the_window_closed_is_counted_but_not_recorded_twice() -> None:
    made = engine()
    sent, = offer(made, REQUEST)
    closed = made.close_window(1.0)
    made.not_sent(sent[0], E0, 1.0)
    assert closed.accepted.ingress_packets == [1], "a closed window does not change"
    assert of_endpoint(made).dropped == {DropReason.SEND_FAILED: 1}
    assert len(made.close_window(2.0).rejected) == 0
    assert_books_balance(made)


def test_queue_overflows_are_offered_dropped_and_skipped() -> None:
    made = engine()
    made.count_drops(E0, DropReason.RECEIVE_QUEUE_FULL, 5)
    made.count_drops(E1, DropReason.RETURN_QUEUE_FULL, 3)
    made.count_drops(None, DropReason.RETURN_QUEUE_FULL, 2)
    counters = made.counters()
    assert (counters.endpoints[E0].offered, counters.endpoints[E0].dropped) == (5, {DropReason.RECEIVE_QUEUE_FULL: 5})
    assert counters.endpoints[E1].refused == {DropReason.RETURN_QUEUE_FULL: 3}
    assert counters.refused_unattributed == {DropReason.RETURN_QUEUE_FULL: 2}
    assert made.close_window(1.0).skipped == {E0: 5}
    assert_books_balance(made)
    with pytest.raises(ValueError, match="malformed is counted by the engine"):
        made.count_drops(E0, DropReason.MALFORMED, 1)


def test_a_window_has_a_row_for_each_direction() -> None:
    made = engine()
    sent = offer(made, REQUEST, ANSWER, now_s=10.0) + offer(made, tcp(CLIENT, 40_000, SERVER, 443, FIN, b"bye"), now_s=12.0)
    give_back(made, *map(bounce, sent[:2]), now_s=13.0)
    accepted = made.close_window(20.0).accepted
    rows = {name: getattr(accepted, name) for name in (column.name for column in fields(AcceptedFlows))}
    port = int.from_bytes(sent[0][0][20:22], "big")
    expected = {
        "endpoint": [E0, E0], "target_id": [sent[0][1]] * 2, "target_address": [sent[0][1]] * 2,
        "target_zone_id": ["use1-az1"] * 2, "entropy_port": [port] * 2,
        "source_address": [CLIENT, SERVER], "destination_address": [SERVER, CLIENT], "source_port": [40_000, 443],
        "destination_port": [443, 40_000], "protocol": [6, 6], "ip_version": [4, 4],
        "ingress_packets": [2, 1], "ingress_bytes": [83, 40], "ingress_first_s": [10.0, 10.0],
        "ingress_last_s": [12.0, 10.0], "ingress_tcp_flags": [3, 18],
        "egress_packets": [1, 1], "egress_bytes": [40, 40], "egress_first_s": [13.0, 13.0],
        "egress_last_s": [13.0, 13.0], "egress_tcp_flags": [2, 18],
    }
    assert rows == expected
    assert len(made.close_window(30.0).accepted) == 0


def test_a_flow_that_moves_has_a_row_for_each_target() -> None:
    made = engine(plan([target(1)], rebalance=True))
    offer(made, REQUEST)
    made.configure(plan([target(2)], rebalance=True), 1.0)
    offer(made, tcp(CLIENT, 40_000, SERVER, 443), now_s=1.0)
    accepted = made.close_window(2.0).accepted
    assert (accepted.target_id, accepted.ingress_packets) == (["10.1.0.1", "10.1.0.2"], [1, 1])


def test_counters_are_a_copy() -> None:
    made = engine()
    before = made.counters()
    offer(made, REQUEST, b"")
    assert before.endpoints[E0].offered == 0
    assert before.endpoints[E0].dropped == {}
    assert all(one.sent_packets == 0 for one in before.targets)


def test_counters_of_targets() -> None:
    made = engine(plan([target(1)]))
    sent = offer(made, REQUEST, ANSWER)
    give_back(made, bounce(sent[0]))
    one, = made.counters().targets
    assert (one.load_balancer, one.target_group) == (
        "gwy/gateway/fedcba9876543210", "targetgroup/appliances/0123456789abcdef"
    )
    assert (one.target_id, one.zone, one.new_flows, one.active_flows) == ("10.1.0.1", "us-east-1a", 1, 1)
    assert (one.sent_packets, one.sent_bytes, one.returned_packets, one.returned_bytes) == (2, 80, 1, 40)


def test_cookies_are_another_for_every_flow_and_secret() -> None:
    made = engine(flows_max=5000)
    sent = offer(made, *(udp(CLIENT, port, SERVER, 53) for port in range(2000)))
    cookies = {decapsulate(outer[28:]).cookie for outer, _, _ in sent}
    assert len(cookies) >= 1999
    again = offer(made, udp(CLIENT, 1, SERVER, 53), now_s=500.0)
    assert decapsulate(again[0][0][28:]).cookie != decapsulate(sent[1][0][28:]).cookie, "a new flow of the same 5-tuple"
    other = Engine(flows_max=16, rejects_max=16, secret=bytes(16))
    other.configure(plan(), 0.0)
    assert decapsulate(offer(other, udp(CLIENT, 0, SERVER, 53))[0][0][28:]).cookie not in cookies


def test_entropy_ports_are_spread() -> None:
    made = engine(flows_max=5000)
    sent = offer(made, *(udp(CLIENT, port, SERVER, 53) for port in range(2000)))
    assert len({outer[20:22] for outer, _, _ in sent}) > 1800


def test_on_scapys_codec_it_does_the_same() -> None:
    packets = [REQUEST, ANSWER, udp(CLIENT6, 1, SERVER6, 2), echo(CLIENT, SERVER), b"\x45", ANSWER + bytes(3)]
    fast, slow = engine(), engine(codec=ScapyCodec())
    sent = offer(fast, *packets)
    assert offer(slow, *packets) == sent
    datagrams = [*map(bounce, sent), options_reversed(bounce(sent[0])), (b"\x01", "10.1.0.1", 1)]
    assert give_back(fast, *datagrams) == give_back(slow, *datagrams)
    assert fast.counters() == slow.counters()


def test_flows_that_are_over_leave_no_cycles_behind() -> None:
    """So the data path may keep Python's cycle collector from stopping the packet thread."""
    def alive() -> int:
        return sum(isinstance(one, Flow | Part) for one in gc.get_objects())

    made = engine(plan(stickiness="source_ip_dest_ip"))
    gc.collect()
    before = alive()
    gc.disable()
    try:
        offer(made, *(udp(CLIENT, port, SERVER, 53) for port in range(50)), echo(CLIENT, CLIENT))
        assert alive() > before
        made.close_window(1.0)
        made.expire(1000.0, 100)
        assert alive() == before
    finally:
        gc.enable()


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes, not 3"):
        Engine(flows_max=16, rejects_max=16, secret=b"abc")
    made = Engine(flows_max=16, rejects_max=16, secret=SECRET)
    with pytest.raises(KeyError):
        offer(made, REQUEST)


def without(number: int, of: Plan) -> Plan:
    """The plan with one endpoint less."""
    return replace(of, endpoints=tuple(each for each in of.endpoints if each.endpoint_id != ENDPOINTS[number]))


def test_an_endpoint_goes_and_the_others_do_not_notice() -> None:
    made = engine()
    mine, others = offer(made, REQUEST), offer(made, REQUEST, endpoint=1)
    made.configure(without(1, plan()), 1.0)
    with pytest.raises(KeyError):
        offer(made, REQUEST, endpoint=1)
    assert give_back(made, bounce(others[0]), now_s=1.0) == []
    assert made.counters().refused_unattributed == {DropReason.RETURN_UNKNOWN_ENDPOINT: 1}
    assert give_back(made, bounce(mine[0]), now_s=1.0) == [(E0, REQUEST)]
    assert offer(made, tcp(CLIENT, 40_000, SERVER, 443), now_s=1.0)[0][1] == mine[0][1]
    assert_books_balance(made)


def test_what_an_endpoint_did_is_handed_in_after_it_went_and_stays_in_the_sum() -> None:
    made = engine()
    offer(made, REQUEST, b"", endpoint=1)
    made.configure(without(1, plan()), 1.0)
    made.expire(1.0, 100)
    window = made.close_window(2.0)
    assert set(window.endpoints) == set(ENDPOINTS)
    assert (window.accepted.endpoint, window.rejected.endpoint) == ([E1], [E1])
    handed_in = made.counters()
    assert (handed_in.endpoints[E1].offered, handed_in.endpoints[E1].not_returned) == (2, 1)
    whole = handed_in.whole
    made.forget_gone()
    after = made.counters()
    assert set(after.endpoints) == {E0, E2, E3}
    assert (after.gone.offered, after.gone.dropped) == (2, {DropReason.MALFORMED: 1, DropReason.NOT_RETURNED: 1})
    assert after.whole == whole
    assert set(made.close_window(3.0).endpoints) == {E0, E2, E3}
    assert_books_balance(made)


def test_flows_of_an_endpoint_that_went_are_forgotten_in_steps_and_the_endpoint_after_them() -> None:
    made = engine()
    offer(made, *(udp(CLIENT, port, SERVER, 53) for port in range(10)), endpoint=1)
    made.configure(without(1, plan()), 1.0)
    made.expire(1.0, 4)
    assert made.counters().flows == 6
    made.close_window(2.0)
    made.forget_gone()
    assert E1 in made.counters().endpoints, "it still has flows"
    made.expire(2.0, 100)
    made.close_window(3.0)
    made.forget_gone()
    counters = made.counters()
    assert (counters.flows, E1 in counters.endpoints, counters.gone.new_flows) == (0, False, 10)
    assert sum(one.active_flows for one in counters.targets) == 0


def test_an_endpoint_that_comes_back_goes_on_or_begins_anew() -> None:
    made = engine()
    sent = offer(made, REQUEST, endpoint=1)
    made.configure(without(1, plan()), 1.0)
    made.configure(plan(), 1.5)
    assert give_back(made, bounce(sent[0]), now_s=2.0) == [(E1, REQUEST)], "nobody had forgotten it yet"
    made.configure(without(1, plan()), 3.0)
    made.expire(3.0, 100)
    made.close_window(3.0)
    made.forget_gone()
    made.configure(plan(), 4.0)
    assert of_endpoint(made, 1).offered == 0
    assert len(offer(made, REQUEST, endpoint=1, now_s=4.0)) == 1
    counters = made.counters()
    assert (counters.gone.offered, counters.endpoints[E1].offered, counters.whole.offered) == (1, 1, 2)


def test_endpoints_that_went_leave_nothing_behind() -> None:
    gc.collect()
    before = sum(isinstance(one, EndpointFlows) for one in gc.get_objects())
    made = engine()
    for turn in range(50):
        made.configure(plan(), float(turn))
        offer(made, REQUEST, endpoint=1, now_s=float(turn))
        made.configure(without(1, plan()), float(turn))
        made.expire(float(turn), 100)
        made.close_window(float(turn))
        made.forget_gone()
    made.expire(1000.0, 1000)  # what is removed waits for its time
    made.close_window(1000.0)
    gc.collect()
    assert sum(isinstance(one, EndpointFlows) for one in gc.get_objects()) - before == 3
    assert made.counters().gone.offered == 50
