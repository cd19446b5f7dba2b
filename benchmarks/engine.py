"""What the engine costs per packet: decision and encapsulation out, verification and decapsulation back; JSON lines.

Goal: well under 10 microseconds each way.  The same engine runs on the struct codec and on scapy's in the same run.

    PYTHONPATH=. python benchmarks/engine.py [--runs 7]

Figures are medians of the runs, in microseconds of one core; the ratio is what ranks, for machines and their load differ.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

from forwarder.collector import calm_collector
from forwarder.engine.engine import Engine
from forwarder.wire.geneve_layers import ScapyCodec
from tests.forwarder.engine.examples import E0, Sent, bounce, engine, offer
from tests.forwarder.wire.packets import ACK, SYN, tcp

FLOWS, BATCH_PACKETS = 10_000, 64
SIZES_BYTES = (64, 1400)
STRUCT_PACKETS, SCAPY_PACKETS = 20_000, 128


def packets(size: int, flags: int, count: int) -> list[bytes]:
    """One packet of each of `count` flows."""
    return [
        tcp(f"10.0.{port >> 8}.{port & 255}", 40_000, "203.0.113.7", 443, flags, bytes(size - 40)) for port in range(count)
    ]


def us_per_packet(forward: Callable[[list[bytes]], None], offered: list[bytes]) -> float:
    """Time of a packet in microseconds, handed over in batches."""
    batches = [offered[place:place + BATCH_PACKETS] for place in range(0, len(offered), BATCH_PACKETS)]
    begin = perf_counter()
    for batch in batches:
        forward(batch)
    return (perf_counter() - begin) / len(offered) * 1e6


def out_us(made: Engine, size: int, count: int) -> float:
    """Out to the target, for flows that are known."""
    def forward(batch: list[bytes]) -> None:
        made.from_endpoint(E0, batch, 1.0, [])
    return us_per_packet(forward, (packets(size, ACK, min(count, FLOWS)) * (count // FLOWS + 1))[:count])


def new_us(made: Engine, size: int, count: int) -> float:
    """Out to the target, every packet beginning a flow."""
    def forward(batch: list[bytes]) -> None:
        made.from_endpoint(E0, batch, 1.0, [])
    return us_per_packet(forward, packets(size, SYN, min(count, FLOWS)))


def back_us(made: Engine, size: int, count: int) -> float:
    """Back from the target."""
    sent: list[Sent] = []
    made.from_endpoint(E0, packets(size, ACK, min(count, FLOWS)), 1.0, sent)
    datagrams = ([bounce(one) for one in sent] * (count // FLOWS + 1))[:count]
    batches = [datagrams[place:place + BATCH_PACKETS] for place in range(0, len(datagrams), BATCH_PACKETS)]
    begin = perf_counter()
    for batch in batches:
        made.from_target(batch, 1.0, [])
    return (perf_counter() - begin) / len(datagrams) * 1e6


def ready(count: int, size: int, *, scapy: bool) -> Engine:
    """An engine that knows the flows."""
    made = engine(flows_max=2 * FLOWS, codec=ScapyCodec() if scapy else None)
    offer(made, *packets(size, SYN, min(count, FLOWS)))
    return made


def main() -> None:
    """Measure every case at every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    calm_collector()  # as the forwarder does
    for size in SIZES_BYTES:
        fast, slow = ready(STRUCT_PACKETS, size, scapy=False), ready(SCAPY_PACKETS, size, scapy=True)
        for case, measure in (("out", out_us), ("back", back_us)):
            struct_us = median(measure(fast, size, STRUCT_PACKETS) for _ in range(runs))
            scapy_us = median(measure(slow, size, SCAPY_PACKETS) for _ in range(runs))
            report(case, size, struct_us, scapy_us, runs)
        struct_us = median(new_us(engine(flows_max=2 * FLOWS), size, STRUCT_PACKETS) for _ in range(runs))
        scapy_us = median(
            new_us(engine(flows_max=2 * FLOWS, codec=ScapyCodec()), size, SCAPY_PACKETS) for _ in range(runs)
        )
        report("new flow out", size, struct_us, scapy_us, runs)


def report(case: str, size: int, struct_us: float, scapy_us: float, runs: int) -> None:
    """Print one case."""
    print(json.dumps({
        "case": f"engine/{case}", "packet_bytes": size, "struct_us": round(struct_us, 3), "scapy_us": round(scapy_us, 1),
        "ratio": round(scapy_us / struct_us), "runs": runs, "flows": FLOWS, "cores": os.cpu_count(),
    }), flush=True)


if __name__ == "__main__":
    main()
