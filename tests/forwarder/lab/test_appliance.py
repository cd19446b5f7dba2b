"""The appliance as a process in the lab: what it gives back byte for byte, what it keeps, its health and its books."""

from __future__ import annotations

import hashlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forwarder.lab import appliance as appliance_module
from forwarder.lab.appliance import BadName, service_name
from forwarder.lab.lab import Lab
from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.lab.servers import Servers, body
from forwarder.network_namespace import run_in
from gatewatch.bus.open import open_consumer
from gatewatch.records.appliance_access import ApplianceAccess
from gatewatch.records.topics import APPLIANCE_ACCESS
from gatewatch.settings import Settings
from gatewatch.status_file import read_status

PROGRAM = """
import sys
from pathlib import Path
from forwarder.lab.appliance import serve
from gatewatch.settings import Settings
name, address, netns, rules, data = sys.argv[1:]
serve(Settings(data=data), name=name, address=address, netns=netns, rules=Path(rules))
"""
NODE, TARGET = "10.1.1.20", "10.1.1.11"


def wait_for(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    deadline_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, "it did not come"
        select.select([], [], [], 0.02)
    return found


class Running:
    """An appliance process of the lab's first appliance."""

    def __init__(self, lab: Lab, data: Path, repository: Path) -> None:
        machine = lab.appliances[0]
        self.data, self.lab, self.name = data, lab, machine.name
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, machine.name, machine.address, machine.netns, str(lab.rules), str(data)],
            cwd=repository, stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: self.status())

    def status(self) -> dict[str, Any] | None:
        return read_status(self.data, self.name)

    def packets(self) -> dict[str, Any]:
        status = self.status()
        assert status is not None
        return dict(status["packets"])

    def health(self, method: str = "GET", path: str = "/") -> int:
        def ask() -> int:
            request = urllib.request.Request(f"http://{TARGET}{path}", method=method)
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        return run_in(self.lab.inventory.nodes[0].netns, ask)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


@pytest.fixture
def appliance(lab: Lab, tmp_path: Path, repository: Path) -> Iterator[Running]:
    running = Running(lab, tmp_path, repository)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def wire(lab: Lab) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A raw socket that sends GENEVE as the balancer, and one that sees every UDP packet that comes back, whole."""
    def sockets() -> tuple[socket.socket, socket.socket]:
        return (socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))

    sending, receiving = run_in(lab.inventory.nodes[0].netns, sockets)
    receiving.settimeout(60)
    with sending, receiving:
        yield sending, receiving


def outer(payload: bytes, source_port: int) -> bytes:
    udp = source_port.to_bytes(2, "big") + (6081).to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    header = bytes((0x45, 0, 0, 0, 0, 0, 0, 0, 255, 17, 0, 0)) + socket.inet_aton(NODE) + socket.inet_aton(TARGET)
    return header + udp + payload


def test_a_service_is_not_called_appliance_twice() -> None:
    assert (service_name("appliance-1"), service_name("fw")) == ("appliance-1", "appliance-fw")


@pytest.mark.parametrize("name", ["", "../../x", "a/b", "[/x]", "a\n", "x" * 65])
def test_a_name_that_cannot_be_a_files_is_refused(name: str) -> None:
    with pytest.raises(BadName, match="allowed: 1 to 64 letters"):
        service_name(name)


@pytest.mark.network
@pytest.mark.parametrize("size", [0, 1, 1_400, 8_460])
def test_what_comes_back_is_the_same_with_addresses_swapped(
    appliance: Running, wire: tuple[socket.socket, socket.socket], packets: Any, size: int
) -> None:
    sending, receiving = wire
    payload = packets.geneve(packets.inner("203.0.113.11", "10.0.2.11", 40_000, 80, payload=bytes(size)))
    sent = outer(payload, 60_123)
    sending.sendto(sent, (TARGET, 0))
    got = receiving.recv(65_535)
    assert (got[12:16], got[16:20]) == (sent[16:20], sent[12:16]), "addresses are swapped"
    assert got[20:] == sent[20:], "ports, length, GENEVE header and inner packet are as they were; checksum 0"
    assert (got[0], got[9], len(got)) == (0x45, 17, len(sent))


@pytest.mark.network
def test_the_books_balance_and_the_access_log_is_on_the_bus(
    appliance: Running, wire: tuple[socket.socket, socket.socket], packets: Any
) -> None:
    sending, receiving = wire
    allowed = packets.geneve(packets.inner("203.0.113.11", "10.0.2.11", 40_000, 80))
    denied = packets.geneve(packets.inner("203.0.113.11", "10.0.2.11", 40_000, 445))
    for payload in (allowed, denied, b"nonsense", denied, denied, allowed):  # the last one comes back when all are in
        sending.sendto(outer(payload, 50_000), (TARGET, 0))
    assert receiving.recv(65_535)[28:] == allowed
    assert receiving.recv(65_535)[28:] == allowed
    appliance.stop()
    books = appliance.packets()
    assert (books["received"], books["returned"], books["denied"], books["send_failed"]) == (6, 2, 3, {})
    assert books["malformed"] == {"GENEVE version is not 0": 1} or sum(books["malformed"].values()) == 1
    consumer = open_consumer(Settings(data=str(appliance.data)), "test", [APPLIANCE_ACCESS], {})
    lines = [line for message in consumer.poll(5, 100) for line in message.value.split(b"\n")]
    consumer.close()
    records = [msgspec.json.decode(line, type=ApplianceAccess) for line in lines]
    by_action = {action: sum(record.packets for record in records if record.action == action) for action in ("allow", "deny", "malformed")}
    assert by_action == {"allow": 2, "deny": 3, "malformed": 1}
    assert {record.rule for record in records if record.action == "deny"} == {"block-telnet-and-smb"}
    status = appliance.status()
    assert status is not None
    assert status["access_log"] == {"handed_over": len(records), "published": len(records), "held": 0, "lost": 0}


@pytest.mark.network
def test_it_answers_health_checks_and_fails_when_told(appliance: Running) -> None:
    assert appliance.health() == 200
    assert appliance.health("POST", "/fail") == 200
    assert appliance.health() == 503
    assert appliance.health("POST", "/recover") == 200
    assert appliance.health() == 200
    appliance.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: appliance.health() == 503)
    appliance.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: appliance.health() == 200)


@pytest.mark.network
def test_one_that_is_killed_can_be_started_again(appliance: Running, repository: Path) -> None:
    appliance.process.kill()
    appliance.process.wait()
    (appliance.data / "status" / f"{appliance.name}.json").unlink()
    again = Running(appliance.lab, appliance.data, repository)
    assert again.health() == 200
    again.stop()


@pytest.mark.network
def test_a_transfer_arrives_whole_and_8501_bytes_stop_at_the_gateway(lab: Lab, appliance: Running, gateway: Any) -> None:
    size = 20_000_000
    server = Servers(lab.servers[0].address)
    serving = NamespaceLoop(lab.servers[0].netns, server.open, server.close, name="server")
    serving.start()

    def fetch() -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{lab.servers[0].address}/bytes/{size}", timeout=90) as answer:
            return bytes(answer.read())

    def send(length: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as channel:
            channel.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: exactly this size
            channel.sendto(b"\x08\0" + bytes(length - 22), (lab.servers[0].address, 0))

    content = run_in(lab.clients[0].netns, fetch)
    expected = hashlib.sha256()
    for piece in body(size):
        expected.update(piece)
    assert hashlib.sha256(content).digest() == expected.digest()
    for length in (8_500, 8_501):
        run_in(lab.clients[0].netns, lambda length=length: send(length))  # type: ignore[misc]
    wait_for(lambda: gateway.too_large == 1)
    serving.stop()
    wait_for(lambda: gateway.returned == len(gateway.offered))
    gateway.stop()  # or a late packet of the transfer's end would meet an appliance that has gone
    wait_for(lambda: appliance.packets()["received"] == len(gateway.offered))
    appliance.stop()
    books = appliance.packets()
    assert books["received"] == books["returned"] == len(gateway.offered)
    assert books["kernel_dropped"] == 0


def test_packets_that_never_pause_do_not_keep_it_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appliance_module, "STOP_S", 0.05)

    class Flooded:
        """An appliance whose queue is never empty."""

        batches = 0

        def __init__(self) -> None:
            self.inspector = self

        def take_seen(self) -> list[Any]:
            return []

        def run_once(self, wait_ms: int = 0) -> int:
            self.batches += 1
            return 64

    class Log:
        """Takes what is seen."""

        def hand_over(self, seen: list[Any]) -> None: ...

    flooded, stop = Flooded(), threading.Event()
    thread = threading.Thread(target=appliance_module._forward_until, args=(stop, flooded, Log()), daemon=True)
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert flooded.batches > 1, "what was there already is worked off"
