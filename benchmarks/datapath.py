"""What the portable data path costs: CPU seconds per million packets, out to a target and back, beside scapy's.

    PYTHONPATH=. .venv/bin/python benchmarks/datapath.py [--seconds 2] [--flows 100]

Three network namespaces that this program makes and removes: a router that offers packets, the gateway, a target that
sends every packet back.  Router and target are processes of their own; the gateway's packet loop is this process, so
its CPU time is what is measured (user and system, with the kernel's share of sending and receiving).  Packets per
second under overload vary with the machine's other work; the CPU seconds are the figure to compare.  Goal: at most 25
CPU seconds per million packets of 64 bytes on the portable path.  A JSON line a case.  Needs root.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import queue
import resource
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from forwarder.capture.closed import Closed
from forwarder.datapath.geneve_socket import GENEVE_PORT, NodePort
from forwarder.datapath.network import Network
from forwarder.datapath.packet_socket import EndpointPort
from forwarder.datapath.portable import PacketLoop
from forwarder.datapath.steady_clock import SteadyClock
from forwarder.engine.engine import Engine
from forwarder.network_namespace import enter, run_in
from forwarder.plan import make_plan
from forwarder.wire.geneve_codec import StructCodec
from forwarder.wire.geneve_layers import ScapyCodec
from tests.forwarder.one_endpoint import INVENTORY, TARGET, desired

ROUTER, GATEWAY, PROVIDER = (f"gwbench{os.getpid()}{letter}" for letter in "rgp")
MTU_BYTES = 9000
NODE = INVENTORY.nodes[0].address
#: Offered packets per second: enough to keep the loop busy, few enough that queues do not overflow.
OFFERED_PORTABLE_PPS, OFFERED_SCAPY_PPS = 20_000, 500


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one case")
    parser.add_argument("--flows", type=int, default=100, help="flows the packets belong to")
    parser.add_argument("--runs", type=int, default=3, help="runs the median is taken of")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("benchmarks/datapath.py makes network namespaces and needs root")
    with network():
        for length in (64, 1400):
            print(json.dumps(compare(length, options.seconds, options.flows, options.runs)), flush=True)


def compare(length: int, seconds: float, flows: int, runs: int) -> dict[str, Any]:
    """Both data paths in turn with packets of `length` bytes; medians, and how many packets did not come back."""
    measured: dict[str, list[tuple[float, int]]] = {"portable": [], "scapy": []}
    for _ in range(runs):
        measured["portable"].append(measure("portable", length, OFFERED_PORTABLE_PPS, seconds, flows))
        measured["scapy"].append(measure("scapy", length, OFFERED_SCAPY_PPS, seconds, flows))
    cpu_s = {name: statistics.median(cpu for cpu, _ in values) for name, values in measured.items()}
    return {
        "case": "datapath", "packet_bytes": length, "flows": flows, "runs": runs, "cores": os.cpu_count(),
        "portable_cpu_s_per_million": round(cpu_s["portable"], 2), "scapy_cpu_s_per_million": round(cpu_s["scapy"], 1),
        "ratio": round(cpu_s["scapy"] / cpu_s["portable"]),
        "lost": {name: sum(lost for _, lost in values) for name, values in measured.items()},
    }


@contextmanager
def network() -> Iterator[None]:
    """The three namespaces, removed whatever happens."""
    try:
        for name in (ROUTER, GATEWAY, PROVIDER):
            run("ip", "netns", "add", name)
        for first, first_device, second, second_device in (
            (ROUTER, "gwbr", GATEWAY, "gwbe"), (PROVIDER, "gwbt", GATEWAY, "gwbn"),
        ):
            run("ip", "link", "add", first_device, "netns", first, "mtu", str(MTU_BYTES), "type", "veth",
                "peer", "name", second_device, "netns", second, "mtu", str(MTU_BYTES))
            for name, device in ((first, first_device), (second, second_device)):
                run("ip", "-n", name, "link", "set", device, "up")
        run("ip", "-n", GATEWAY, "address", "add", f"{NODE}/24", "dev", "gwbn")
        run("ip", "-n", PROVIDER, "address", "add", f"{TARGET}/24", "dev", "gwbt")
        yield
    finally:
        for name in (ROUTER, GATEWAY, PROVIDER):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def run(*command: str) -> None:
    """Run a command; its failure is this program's."""
    subprocess.run(command, check=True)


def measure(datapath: str, length: int, pps: int, seconds: float, flows: int) -> dict[str, Any]:
    """One case: offer `pps` packets of `length` bytes for `seconds`."""
    endpoint = EndpointPort(device="gwbe", router_mac=mac_of(ROUTER, "gwbr"), netns=GATEWAY, receive_buffer_bytes=8 << 20)
    node = NodePort(address=NODE, device="gwbn", netns=GATEWAY, receive_buffer_bytes=8 << 20)
    endpoint.open()
    node.open()
    engine = Engine(
        flows_max=100_000, rejects_max=1000, secret=os.urandom(32),
        codec=ScapyCodec() if datapath == "scapy" else StructCodec(),
    )
    clock = SteadyClock()
    outbox: queue.Queue[Closed] = queue.Queue(64)
    loop = PacketLoop(
        engine, outbox, clock=clock, synchronize=clock.synchronize, batch_packets_max=64,
        capture_window_s=10, capture_rows_max=20_000, sample_s=10,
    )
    plan = make_plan(desired(), INVENTORY, maglev_slots=16_381)
    loop.follow(Network(plan=plan, endpoints={INVENTORY.endpoints[0].id: endpoint}, nodes={node.address: node}))
    thread = threading.Thread(target=loop.run)
    context = multiprocessing.get_context("fork")
    reflector = context.Process(target=reflect, daemon=True)
    generator = context.Process(
        target=offer, args=(mac_of(GATEWAY, "gwbe"), length, pps, seconds, flows), daemon=True
    )
    reflector.start()
    thread.start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    generator.start()
    generator.join()
    loop.stop()
    thread.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    reflector.terminate()
    reflector.join()
    counted = engine.counters().whole
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu_s / max(counted.delivered, 1) * 1e6, counted.offered - counted.delivered


def mac_of(namespace: str, device: str) -> str:
    """The device's Ethernet address."""
    probe = run_in(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    with probe:
        probe.bind((device, 0))
        address: bytes = probe.getsockname()[4]
        return address.hex(":")


def offer(gateway_mac: str, length: int, pps: int, seconds: float, flows: int) -> None:
    """The router: UDP packets of `flows` flows in turn, in small bursts at the given rate."""
    enter(ROUTER)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        wire.bind(("gwbr", 0))
        frames = [bytes.fromhex(gateway_mac.replace(":", "")) + bytes(6) + b"\x08\x00" + packet(length, 10_000 + flow)
                  for flow in range(flows)]
        burst = max(1, pps // 1000)
        began_s, sent = time.monotonic(), 0
        while (now_s := time.monotonic() - began_s) < seconds:
            if sent >= now_s * pps:
                time.sleep(0.0005)
                continue
            for _ in range(burst):
                wire.send(frames[sent % flows])
                sent += 1


def packet(length: int, port: int) -> bytes:
    """An IPv4 UDP packet."""
    addresses = socket.inet_aton("203.0.113.9") + socket.inet_aton("10.0.3.7")
    header = struct.pack("!BBHHHBBH8s", 0x45, 0, length, 1, 0, 64, 17, 0, addresses)
    return header + struct.pack("!HHHH", port, 53, length - 20, 0) + bytes(length - 28)


def reflect() -> None:
    """The target: every outer packet goes back with its addresses swapped."""
    enter(PROVIDER)
    # The UDP socket keeps the kernel from answering that the port is closed.
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as wire,
    ):
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        port.bind((TARGET, GENEVE_PORT))
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        wire.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        while True:
            outer = wire.recv(MTU_BYTES)
            wire.sendto(outer[:12] + outer[16:20] + outer[12:16] + outer[20:], (NODE, 0))


if __name__ == "__main__":
    main()
