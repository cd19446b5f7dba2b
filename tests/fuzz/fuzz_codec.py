"""Whatever bytes arrive, a packet or a counted drop reason comes out, nothing else; struct and scapy say the same.

Random and mutated packets go through the struct codec and the engine in batches: from endpoints, and as datagrams from
targets (what the engine sent, mutated).  For each batch: what came out plus what was counted as dropped or refused is
what went in, whatever is delivered is a whole packet that belongs to a flow, and the books of `counters.py` balance.  A
share of the packets goes through scapy's layers too, whose verdict and values must be the same.

    PYTHONPATH=. python tests/fuzz/fuzz_codec.py --count 10000000 --scapy-count 100000 --jobs 2

`--count` is packets and datagrams together.  A failure names its round, which `--round NAME` repeats alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import TypeVar

from forwarder.capture.counters import EngineCounters
from forwarder.capture.drop_reason import DROP_REASONS, DropReason, Hop
from forwarder.desired import TargetState
from forwarder.engine.engine import Datagram, Engine
from forwarder.wire import geneve_layers
from forwarder.wire.geneve_codec import (
    INNER_BYTES_MAX,
    IPV4_PROTOCOL,
    IPV6_PROTOCOL,
    Encapsulation,
    decapsulate,
    encapsulate,
)
from forwarder.wire.inner_packet import classify
from forwarder.wire.malformed_packet import MalformedPacket
from tests.forwarder.engine.examples import E0, E1, E3, balancer, bounce, draining, engine, plan, plan_of, target
from tests.forwarder.wire.packets import ACK, FIN, RST, SYN, echo, ipv4, ipv6, tcp, udp

BATCH_PACKETS = 64
#: Small, so that the limits are met.
FLOWS_MAX, REJECTS_MAX = 30, 50
#: Packets that one engine sees before the next one begins, so that a failure is found again quickly.
ROUND_PACKETS, SCAPY_ROUND_PACKETS = 20_000, 1000
A, B, A6, B6 = "10.0.1.10", "203.0.113.7", "2001:db8:1::10", "2001:db8:ffff::7"
CORPUS = [
    *(tcp(A, port, B, 443, flags, b"data") for port in range(8) for flags in (SYN, ACK, FIN | ACK, RST)),
    *(tcp(B, 443, A, port, flags) for port in range(8) for flags in (SYN | ACK, ACK, FIN | ACK)),
    *(udp(A, port, B, 53, b"question") for port in range(8)), *(udp(B, 53, A, port) for port in range(8)),
    *(tcp(A6, port, B6, 443, flags) for port in range(4) for flags in (SYN, ACK)),
    udp(A6, 1, B6, 53), udp(B6, 53, A6, 1), echo(A, B), echo(B, A), echo(A6, B6), echo(A, A),
    ipv4(A, B, 6, tcp(A, 1, B, 443, SYN)[20:], options=bytes(8)), ipv4(A, B, 17, bytes(30), fragment=0x2000),
    ipv4(A, B, 47, b"gre"), ipv6(A6, B6, 44, bytes.fromhex("1100000900000001") + bytes(16)),
    ipv6(A6, B6, 0, bytes.fromhex("3c00010400000000") + bytes.fromhex("0600010400000000") + tcp(A6, 1, B6, 2)[40:]),
    udp(A, 1, B, 2, bytes(INNER_BYTES_MAX - 27)), tcp(A, 1, B, 443, SYN) + bytes(6),
]
OVERSIZE = next(place for place, packet in enumerate(CORPUS) if len(packet) > INNER_BYTES_MAX)
PLANS = [
    plan(), plan([target(1), target(2, TargetState.UNHEALTHY), target(3)], rebalance=True),
    plan([draining(1), target(2)], stickiness="source_ip_dest_ip"),
    plan([target(1), target(2)], stickiness="source_ip_dest_ip_proto", rebalance=True), plan([]),
    plan_of(balancer(None)), plan(), plan(),
]
#: Bytes at which the fields are that decide something.
_PLACES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 22, 23, 32, 33, 36, 40, 41, 42, 43, 46, 49)
Value = TypeVar("Value")


def mutate(random: Random, packet: bytes) -> bytes:
    """The packet as it is, with some bytes changed, cut, lengthened, or other bytes altogether."""
    choice = random.random()
    if choice < 0.3:
        return packet
    if choice < 0.35:
        return random.randbytes(random.randrange(120))
    if choice < 0.42:
        return packet[:random.randrange(len(packet) + 1)]
    if choice < 0.47:
        return packet + random.randbytes(random.randrange(1, 20))
    changed = bytearray(packet)
    for _ in range(1 if choice < 0.8 else 3):
        place = random.choice(_PLACES) if choice < 0.9 else random.randrange(len(packet) or 1)
        if place < len(changed):
            changed[place] = random.randrange(256)
    return bytes(changed)


def mutate_datagram(random: Random, datagram: Datagram) -> Datagram:
    """A datagram from a target with something wrong, or nothing."""
    payload, address, port = datagram
    choice = random.random()
    if choice < 0.1:
        return payload, "10.1.0.99", port
    if choice < 0.2:
        return payload, address, random.randrange(65_536)
    if choice < 0.3:
        return payload[:40] + mutate(random, payload[40:]), address, port
    if choice < 0.4:  # the options in another order
        return payload[:8] + payload[32:40] + payload[8:32] + payload[40:], address, port
    if choice < 0.45:
        return payload[:2] + random.choice((b"\x08\0", b"\x86\xdd")) + payload[4:], address, port
    if choice < 0.46:
        return payload[:40] + CORPUS[OVERSIZE], address, port
    return mutate(random, payload), address, port


def ingress_drops(counters: EngineCounters) -> int:
    """Offered packets that were not sent."""
    return sum(
        packets for endpoint in counters.endpoints.values() for reason, packets in endpoint.dropped.items()
        if DROP_REASONS[reason].hop is Hop.INGRESS
    )


def refusals(counters: EngineCounters) -> int:
    """Datagrams that were not accepted."""
    refused = [counters.refused_unattributed, *(endpoint.refused for endpoint in counters.endpoints.values())]
    return sum(sum(reasons.values()) for reasons in refused)


def check_books(counters: EngineCounters) -> None:
    """The sums that hold at all times."""
    for endpoint in counters.endpoints.values():
        assert endpoint.not_returned >= 0, endpoint
        assert endpoint.originated >= 0, endpoint
        assert endpoint.offered + endpoint.originated == endpoint.delivered + sum(endpoint.dropped.values()), endpoint


def fuzz_round(seed: str, count: int) -> Counter[str]:
    """Put `count` packets and datagrams through one engine; what came out, by kind."""
    random = Random(seed)
    made, now_s, offered, returned = engine(flows_max=FLOWS_MAX, rejects_max=REJECTS_MAX), 0.0, 0, 0
    while offered + returned < count:
        endpoint = random.choice((E0, E0, E0, E0, E1, E3))
        packets = [mutate(random, random.choice(CORPUS)) for _ in range(BATCH_PACKETS)]
        send: list[tuple[bytes, str, int]] = []
        made.from_endpoint(endpoint, packets, now_s, send)
        datagrams = [mutate_datagram(random, bounce(one)) for one in send]
        deliver: list[tuple[int, bytes]] = []
        made.from_target(datagrams, now_s, deliver)
        for _, inner in deliver:
            assert classify(inner)[2] == len(inner) <= INNER_BYTES_MAX
        offered += len(packets)
        returned += len(datagrams)
        counters = made.counters()
        assert sum(one.sent for one in counters.endpoints.values()) + ingress_drops(counters) == offered
        assert sum(one.returned for one in counters.endpoints.values()) + refusals(counters) == returned
        check_books(counters)
        if random.random() < 0.3:
            now_s = disturb(random, made, now_s)
    return outcome(made.counters())


def disturb(random: Random, made: Engine, now_s: float) -> float:
    """Let something happen between two batches: time, expiry, another plan, the end of a window.  The time after."""
    now_s += random.choice((0.1, 1.0, 120.0, 350.0))
    made.expire(now_s, 100)
    if random.random() < 0.3:
        made.configure(random.choice(PLANS), now_s)
    if random.random() < 0.3:
        window = made.close_window(now_s)
        assert len(window.rejected) <= REJECTS_MAX
        assert all(packets >= 0 for packets in window.accepted.ingress_packets + window.accepted.egress_packets)
    return now_s


def outcome(counters: EngineCounters) -> Counter[str]:
    """How often each thing came out."""
    seen: Counter[str] = Counter({str(reason): packets for reason, packets in counters.refused_unattributed.items()})
    for endpoint in counters.endpoints.values():
        seen["sent"] += endpoint.sent
        seen["delivered"] += endpoint.delivered
        for reasons in (endpoint.dropped, endpoint.refused):
            seen.update({str(reason): packets for reason, packets in reasons.items()})
    del seen[str(DropReason.NOT_RETURNED)]
    return seen


def fuzz_scapy(seed: str, count: int) -> int:
    """Compare struct and scapy on `count` packets: what they read, and what they build; how many both accepted."""
    random, accepted = Random(seed), 0
    for _ in range(count):
        packet = mutate(random, random.choice(CORPUS))
        flow = Encapsulation(
            random.randbytes(4), random.randbytes(4), random.randrange(65_536), random.getrandbits(64),
            random.getrandbits(64), random.getrandbits(32), random.choice((IPV4_PROTOCOL, IPV6_PROTOCOL)),
        )
        outer = encapsulate(flow, packet)
        assert outer == bytes(geneve_layers.outer_packet(flow, packet)), (flow, packet.hex())
        payload = mutate_datagram(random, (outer[28:], "", 0))[0]
        accepted += same_verdict(classify, geneve_layers.classify, packet)
        accepted += same_verdict(decapsulate, geneve_layers.decapsulate, payload)
    return accepted


def same_verdict(ours: Callable[[bytes], Value], scapys: Callable[[bytes], Value], data: bytes) -> bool:
    """Whether both accept `data`; they must agree, also in the values."""
    first, second = _verdict(ours, data), _verdict(scapys, data)
    assert first == second, (data.hex(), first, second)
    return first is not None


def _verdict(read: Callable[[bytes], Value], data: bytes) -> Value | None:
    try:
        return read(data)
    except MalformedPacket:
        return None


def run_round(name: str, count: int) -> Counter[str]:
    """One round; its name, `<seed>/<job>/<engine or scapy>/<number>`, is the seed of all that is drawn in it."""
    try:
        if name.split("/")[-2] == "engine":
            return fuzz_round(name, count)
        return Counter({"accepted by both": fuzz_scapy(name, count)})
    except Exception as error:
        raise AssertionError(f"round {name!r}: {type(error).__name__}: {error}") from error


def job(seed: str, count: int, scapy_count: int) -> Counter[str]:
    """One process's share."""
    seen: Counter[str] = Counter()
    for kind, size, total in (("engine", ROUND_PACKETS, count), ("scapy", SCAPY_ROUND_PACKETS, scapy_count)):
        for number, start in enumerate(range(0, total, size)):
            seen.update(run_round(f"{seed}/{kind}/{number}", min(size, total - start)))
    return seen


def run(given: argparse.Namespace, jobs: int) -> Counter[str]:
    """All jobs, or the one round that was asked for."""
    if given.round:
        return run_round(given.round, SCAPY_ROUND_PACKETS if "/scapy/" in given.round else ROUND_PACKETS)
    seen: Counter[str] = Counter()
    with ProcessPoolExecutor(jobs) as pool:
        shares = [
            pool.submit(job, f"{given.seed}/{number}", -(-given.count // jobs), -(-given.scapy_count // jobs))
            for number in range(jobs)
        ]
        for share in shares:
            seen.update(share.result())
    return seen


def main(arguments: list[str] | None = None) -> None:
    """Run it and print one JSON line; a failure ends the program and names its round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="packets and datagrams through codec and engine")
    parser.add_argument("--scapy-count", type=int, default=10_000, help="packets through scapy's layers as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", default="gatewatch", help="begin of every round's name")
    parser.add_argument("--round", default="", help="repeat this round only")
    given = parser.parse_args(arguments)
    jobs, begin = max(1, given.jobs), time.perf_counter()
    seen = run(given, jobs)
    json.dump({
        "case": "fuzz", "packets": given.count, "scapy_packets": given.scapy_count, "jobs": jobs,
        "seconds": round(time.perf_counter() - begin, 1), "outcome": dict(seen.most_common()),
    }, sys.stdout)
    print()


if __name__ == "__main__":
    main()
