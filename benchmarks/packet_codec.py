"""What the codec costs per packet, by `struct` and by scapy in the same run; one JSON line a case.

Goal: encapsulate, decapsulate and classify in under 2 microseconds each by `struct`, at any size.

    PYTHONPATH=. python benchmarks/packet_codec.py [--runs 7]

Figures are medians of the runs, in microseconds of one core; the ratio is what ranks, for machines and their load differ.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

from forwarder.wire import geneve_layers
from forwarder.wire.geneve_codec import Encapsulation, cookie_option, decapsulate, encapsulate, header_template
from forwarder.wire.inner_packet import classify
from tests.forwarder.wire.packets import tcp

FLOW = Encapsulation(bytes((10, 1, 0, 200)), bytes((10, 1, 0, 1)), 60_123, 0xA0, 0xA0, 0xDEADBEEF, 0x0800)
SIZES_BYTES = (64, 1400, 8500)
STRUCT_CALLS, SCAPY_CALLS = 20_000, 100


def us_per_call(function: Callable[[bytes], object], data: bytes, calls: int) -> float:
    """Time of one call in microseconds, over that many."""
    begin = perf_counter()
    for _ in range(calls):
        function(data)
    return (perf_counter() - begin) / calls * 1e6


def measure(case: str, ours: Callable[[bytes], object], scapys: Callable[[bytes], object], data: bytes, runs: int) -> None:
    """Print one case."""
    assert ours(data) == scapys(data)
    struct_us = median(us_per_call(ours, data, STRUCT_CALLS) for _ in range(runs))
    scapy_us = median(us_per_call(scapys, data, SCAPY_CALLS) for _ in range(runs))
    print(json.dumps({
        "case": f"packet_codec/{case}", "packet_bytes": len(data), "struct_us": round(struct_us, 3),
        "scapy_us": round(scapy_us, 1), "ratio": round(scapy_us / struct_us), "runs": runs, "cores": os.cpu_count(),
    }), flush=True)


def main() -> None:
    """Measure every case at every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    template, layers, cookie = header_template(FLOW), geneve_layers.ScapyHeader(FLOW), cookie_option(FLOW.cookie)
    for size in SIZES_BYTES:
        inner = tcp("10.0.1.10", 40_000, "203.0.113.7", 443, data=bytes(size - 40))
        payload = encapsulate(FLOW, inner)[28:]
        measure(
            "encapsulate", lambda inner: template.encapsulate(inner, FLOW.source_port, cookie),
            lambda inner: layers.encapsulate(inner, FLOW.source_port, cookie), inner, runs,
        )
        measure("decapsulate", decapsulate, geneve_layers.decapsulate, payload, runs)
        measure("classify", classify, geneve_layers.classify, inner, runs)


if __name__ == "__main__":
    main()
