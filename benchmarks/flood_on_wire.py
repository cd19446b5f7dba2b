"""A flood of opening packets on real packets: what the forwarder's process then holds, and what becomes of everybody else.

    PYTHONPATH=. .venv/bin/python benchmarks/flood_on_wire.py [--syn-per-s 6000] [--seconds 45]

The demo runs with its lab and its traffic.  One of its clients then sends opening packets from new ports to a port where nobody
listens, so that most of the flows are seen in both directions.  Printed, as one JSON line: the packets sent, the largest number of
flows, memory of the forwarder's process before and at its peak, what it grew by a flow from a quarter of the flows to all of them
(before that grows what does not depend on their number: what a capture window of `capture_rows_max` rows takes to become records),
and how many of the demo's own requests were answered meanwhile.  The reference is the demo without the flood, in the same line.
Needs root.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scapy.utils import checksum

from forwarder.network_namespace import enter
from gatewatch.status_file import read_status
from tests.end_to_end.demo_run import LAB_NAME, end
from tests.forwarder.wire.packets import SYN, tcp
from tests.ports import free_port
from tests.soak.readings import readings

CLIENT, SERVER = "203.0.113.13", "10.0.2.11"
FIRST_PORT, LAST_PORT, CLOSED_PORTS = 1_024, 60_000, range(8_001, 8_100)
STEPS_PER_S, START_S, END_S_MAX = 50, 20, 300


def main() -> None:
    """Run without and with the flood, and print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--syn-per-s", type=int, default=6_000)
    parser.add_argument("--seconds", type=int, default=45)
    parser.add_argument("--without-reference", action="store_true", help="run the flood alone")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("benchmarks/flood_on_wire.py runs the lab, which makes network namespaces, and needs root")
    quiet = None if options.without_reference else run(0, options.seconds)
    print(json.dumps({"case": "flood on the wire", "syn_per_s": options.syn_per_s, "seconds": options.seconds,
                      **run(options.syn_per_s, options.seconds), "reference": quiet}), flush=True)


def run(syn_per_s: int, seconds: int) -> dict[str, Any]:
    """One demo; a flood in its middle unless the rate is nought."""
    with tempfile.TemporaryDirectory(prefix="gatewatch-flood-") as folder:
        data, report = Path(folder) / "data", Path(folder) / "report.json"
        with (Path(folder) / "output").open("wb") as said:
            demo = subprocess.Popen([
                sys.executable, "-m", "gatewatch", "demo", "--headless", "--duration", str(START_S + 2 * seconds),
                "--report", str(report), "--data", str(data), "--lab-name", LAB_NAME, "--api-port", str(free_port()),
            ], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            while read_status(data, "traffic") is None and demo.poll() is None:
                time.sleep(0.2)
            time.sleep(START_S)
            found = flood(data, syn_per_s, seconds)
            demo.wait(2 * seconds + END_S_MAX)
        finally:
            end(demo)
        figures = json.loads(report.read_text(encoding="utf-8"))
        return {**found, "books_balance": figures["balanced"], "differences": figures["differences"], "packets": figures["packets"]}


def flood(data: Path, syn_per_s: int, seconds: int) -> dict[str, Any]:
    """Send, and read the forwarder's memory and flows every second until half as long after the end."""
    before_mb, requests_before = readings(data)["forwarder memory_mb"], requests(data)
    context = multiprocessing.get_context("spawn")
    sent = context.Value("q", 0)
    sender = context.Process(target=send, args=(f"{LAB_NAME}-client-3", syn_per_s, seconds, sent))
    sender.start()
    seen = [(0, before_mb)]
    ends_s = time.monotonic() + 1.5 * seconds
    while time.monotonic() < ends_s:
        time.sleep(1)
        seen.append(((read_status(data, "forwarder") or {}).get("flows", 0), readings(data)["forwarder memory_mb"]))
    sender.join()
    asked, well = (after - before for after, before in zip(requests(data), requests_before, strict=True))
    return {
        "sent": sent.value, "flows_peak": max(flows for flows, _ in seen), "memory_before_mb": round(before_mb, 1),
        "memory_peak_mb": round(max(memory_mb for _, memory_mb in seen), 1), "bytes_per_flow": bytes_per_flow(seen),
        "requests": asked, "share_answered": round(well / asked, 4),
    }


def bytes_per_flow(seen: list[tuple[int, float]]) -> int | None:
    """Growth a flow, by least squares, over the readings from a quarter of the largest number to the first with all of them."""
    counts = [flows for flows, _ in seen]
    peak = counts.index(max(counts))
    grown = [reading for reading in seen[:peak + 1] if reading[0] >= counts[peak] / 4]
    if len({flows for flows, _ in grown}) < 3:
        return None
    slope, _ = statistics.linear_regression(*zip(*grown, strict=True))
    return round(1024 * 1024 * slope)


def requests(data: Path) -> tuple[int, int]:
    """The demo's own HTTP, DNS and SSH requests that ended so far, and those of them that were answered."""
    kinds = [(read_status(data, "traffic") or {})["kinds"][kind] for kind in ("http", "dns", "ssh")]
    return sum(kind["ok"] + kind["failed"] for kind in kinds), sum(kind["ok"] for kind in kinds)


def send(namespace: str, syn_per_s: int, seconds: int, sent: Any) -> None:
    """The flood, in the client's namespace; a step that is late is not made up for."""
    if not syn_per_s:
        return
    enter(namespace)
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ports = LAST_PORT - FIRST_PORT
    began_s, number = time.monotonic(), 0
    for step in range(seconds * STEPS_PER_S):
        time.sleep(max(0.0, began_s + step / STEPS_PER_S - time.monotonic()))
        for _ in range(syn_per_s // STEPS_PER_S):
            closed = CLOSED_PORTS[number // ports % len(CLOSED_PORTS)]
            out.sendto(opening(FIRST_PORT + number % ports, closed), (SERVER, 0))
            number += 1
    sent.value = number


def opening(source_port: int, port: int) -> bytes:
    """A SYN with the right TCP checksum, since the server's kernel must answer it; the sending kernel fills in that of IP."""
    packet = tcp(CLIENT, source_port, SERVER, port, SYN)
    pseudo_header = packet[12:20] + struct.pack("!BBH", 0, 6, len(packet) - 20)
    return packet[:36] + struct.pack("!H", checksum(pseudo_header + packet[20:])) + packet[38:]


if __name__ == "__main__":
    main()
