"""What an appliance decides, and that its books balance whatever arrives."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forwarder.lab.inspection import GENERATION_MS, Inspector, access_record
from forwarder.lab.rules import parse_rules

RULES = parse_rules("""
default = "deny"
[[rules]]
name = "web"
action = "allow"
protocol = "tcp"
ports = ["80"]
""")
SENDER = b"\x0a\x01\x01\x14"
CLIENT, SERVER = "203.0.113.11", "10.0.2.11"
ACK, SYN, SYN_ACK = 16, 2, 18


def balanced(inspector: Inspector) -> bool:
    return inspector.received == inspector.allowed + inspector.denied + sum(inspector.malformed.values())


def test_answers_go_the_way_of_the_packet_that_opened(packets: Any) -> None:
    inspector = Inspector(RULES)
    there = packets.geneve(packets.inner(CLIENT, SERVER, 40_000, 80, flags=SYN))
    back = packets.geneve(packets.inner(SERVER, CLIENT, 80, 40_000, flags=SYN_ACK))
    assert inspector.inspect(there, SENDER, 0)
    assert inspector.inspect(back, SENDER, 1)
    assert not inspector.inspect(packets.geneve(packets.inner(SERVER, CLIENT, 80, 40_001, flags=SYN_ACK)), SENDER, 1)
    assert (inspector.allowed, inspector.denied) == (2, 1)
    assert balanced(inspector)


def test_a_syn_mends_what_was_first_seen_in_the_middle(packets: Any) -> None:
    inspector = Inspector(RULES)
    back = packets.geneve(packets.inner(SERVER, CLIENT, 80, 40_000, flags=ACK))
    assert not inspector.inspect(back, SENDER, 0), "an answer to nothing opens a flow that no rule allows"
    assert inspector.inspect(packets.geneve(packets.inner(CLIENT, SERVER, 40_000, 80, flags=SYN)), SENDER, 1)
    assert inspector.inspect(back, SENDER, 2)
    lines = {(seen.source_port, seen.action): seen.packets for seen in inspector.take_seen()}
    assert lines == {(80, "deny"): 1, (40_000, "allow"): 1, (80, "allow"): 1}


def test_a_line_has_what_was_seen_since_the_last_reading(packets: Any) -> None:
    inspector = Inspector(RULES)
    inner = packets.inner(CLIENT, SERVER, 40_000, 80)
    for time_ms in (1_000, 1_500, 1_900):
        inspector.inspect(packets.geneve(inner, endpoint_number=0xABC, cookie=77), SENDER, time_ms)
    record = access_record(inspector.take_seen()[0], "appliance-1")
    assert (record.start, record.end, record.packets, record.bytes) == (1_000, 1_900, 3, 3 * len(inner))
    assert (record.srcaddr, record.srcport, record.dstaddr, record.dstport) == (CLIENT, 40_000, SERVER, 80)
    assert (record.protocol, record.action, record.rule) == (6, "allow", "web")
    assert (record.gw_endpoint_id, record.flow_cookie) == ("vpce-00000000000000abc", 77)
    assert inspector.take_seen() == []
    inspector.inspect(packets.geneve(inner), SENDER, 2_000)
    assert inspector.take_seen()[0].packets == 1


def test_malformed_packets_are_told_by_reason_and_sender(packets: Any) -> None:
    inspector = Inspector(RULES)
    good = packets.geneve(packets.inner(CLIENT, SERVER, 1, 2))
    for payload in (b"", b"\xc0" + good[1:], good[:40] + b"\x15", good[:50]):
        assert not inspector.inspect(payload, SENDER, 5)
    assert balanced(inspector)
    assert sum(inspector.malformed.values()) == 4
    records = [access_record(seen, "a") for seen in inspector.take_seen()]
    assert {record.action for record in records} == {"malformed"}
    assert {record.srcaddr for record in records} == {"10.1.1.20"}
    assert {record.rule for record in records} == set(inspector.malformed)


def test_senders_of_malformed_packets_are_bounded() -> None:
    inspector = Inspector(RULES)
    for number in range(1_000):
        inspector.inspect(b"", number.to_bytes(4, "big"), 0)
    lines = inspector.take_seen()
    assert len(lines) == 257
    assert sum(seen.packets for seen in lines) == 1_000


def test_the_flow_table_is_bounded_and_says_when_it_was_too_small(packets: Any) -> None:
    inspector = Inspector(RULES, entries_max=10)
    for port in range(100):
        inspector.inspect(packets.geneve(packets.inner(CLIENT, SERVER, port, 80)), SENDER, port)
        assert len(inspector) <= 20
    assert inspector.entries_forgotten == 80
    assert sum(seen.packets for seen in inspector.take_seen()) == 100


def test_a_verdict_is_forgotten_after_two_idle_generations(packets: Any) -> None:
    inspector = Inspector(RULES)
    opening = packets.geneve(packets.inner(CLIENT, SERVER, 40_000, 80))
    answer = packets.geneve(packets.inner(SERVER, CLIENT, 80, 40_000, flags=ACK))
    assert inspector.inspect(opening, SENDER, GENERATION_MS)
    assert inspector.inspect(answer, SENDER, 2 * GENERATION_MS)
    inspector.inspect(packets.geneve(packets.inner(CLIENT, SERVER, 1, 2)), SENDER, 3 * GENERATION_MS)
    inspector.inspect(packets.geneve(packets.inner(CLIENT, SERVER, 1, 3)), SENDER, 4 * GENERATION_MS)
    assert not inspector.inspect(answer, SENDER, 4 * GENERATION_MS)


FLOWS = st.tuples(st.sampled_from([6, 17, 1]), st.booleans(), st.integers(1, 3), st.sampled_from([80, 81]), st.sampled_from([2, 16, 18]))


@given(st.lists(st.one_of(FLOWS, st.binary(max_size=120))))
def test_whatever_arrives_is_counted_once(packets: Any, arrivals: list[Any]) -> None:
    inspector = Inspector(RULES, entries_max=3)
    passed = 0
    for time_ms, arrival in enumerate(arrivals):
        payload = arrival
        if isinstance(arrival, tuple):
            protocol, outward, client_port, server_port, flags = arrival
            ends = ((SERVER, CLIENT, server_port, client_port), (CLIENT, SERVER, client_port, server_port))[outward]
            payload = packets.geneve(packets.inner(*ends, protocol=protocol, flags=flags))
        passed += inspector.inspect(payload, SENDER, time_ms)
        assert len(inspector) <= 6
    seen = inspector.take_seen()
    assert balanced(inspector)
    assert inspector.received == len(arrivals) == sum(line.packets for line in seen)
    assert passed == inspector.allowed == sum(line.packets for line in seen if line.action == "allow")


def test_a_live_verdict_does_not_change(packets: Any) -> None:
    inspector = Inspector(RULES)
    opening = packets.geneve(packets.inner(CLIENT, SERVER, 40_000, 80, flags=SYN))
    later = packets.geneve(packets.inner(CLIENT, SERVER, 40_000, 80, flags=ACK))
    assert inspector.inspect(opening, SENDER, 0)
    for number in range(1, 5):
        assert inspector.inspect(later, SENDER, number * GENERATION_MS)
