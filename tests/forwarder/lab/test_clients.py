"""The lab's clients against its servers, in one namespace, without a gateway between."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from forwarder.lab import clients
from forwarder.lab.clients import MIX, Client
from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.lab.servers import Servers
from forwarder.lab.traffic_counts import summed
from forwarder.network_namespace import run_in

pytestmark = pytest.mark.network
HERE = "127.0.0.1"


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come"
        threading.Event().wait(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SCAN_PERIOD_S", 0.2)
    monkeypatch.setattr(clients, "SSH_LINES", (2, 4))
    monkeypatch.setattr(clients, "SSH_PAUSE_S", 0.01)
    monkeypatch.setattr(clients, "TRY_S_MAX", 10.0)  # a busy machine is not a fault


def test_every_kind_of_traffic_works(lone_namespace: str) -> None:
    machine, client = Servers(HERE), Client([HERE], rate=100, scans=True, seed=1)
    serving = NamespaceLoop(lone_namespace, machine.open, machine.close, name="servers")
    trying = NamespaceLoop(lone_namespace, client.start, client.close, name="client")
    serving.start()
    trying.start()
    wait_for(lambda: {*MIX, "scan"} == set(client.counts.copy().ok))
    trying.call(client.end)
    wait_for(lambda: client.under_way == 0)
    trying.stop()
    serving.stop()
    total = summed([client.counts])
    assert all(kind["failed"] == 0 for kind in total["kinds"].values()), total
    assert all(kind["under_way"] == 0 for name, kind in total["kinds"].items() if name != "scan")
    assert total["failures"] == {}
    assert total["connections"]
    assert all(ok for _, ok in total["connections"])
    assert {"open", "closed"} <= set(total["scan_ports"]), "nothing filters here, but a busy machine may be late"
    served = machine.counts()
    assert served["http"]["answered"] >= total["kinds"]["http"]["ok"]
    assert served["dns"]["answered"] == total["kinds"]["dns"]["ok"]
    assert served["ssh"]["lines"] >= 2


def test_what_is_not_answered_fails_soon_and_is_counted(lone_namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS times out (something listens and says nothing), the rest is refused; pings are answered by the kernel."""
    monkeypatch.setattr(clients, "TRY_S_MAX", 0.5)
    with run_in(lone_namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind((HERE, 53))
        client = Client([HERE], rate=100, scans=False, seed=2)
        trying = NamespaceLoop(lone_namespace, client.start, client.close, name="client")
        trying.start()
        wait_for(lambda: {"http", "dns", "ssh"} <= set(client.counts.copy().failed) and client.counts.copy().ok["ping"] > 0)
        trying.call(client.end)
        wait_for(lambda: client.under_way == 0)
        trying.stop()
    total = summed([client.counts])
    assert total["kinds"]["http"]["ok"] == total["kinds"]["ssh"]["ok"] == total["kinds"]["dns"]["ok"] == 0
    assert {"ConnectionRefusedError", "TimeoutError"} == set(total["failures"])
    tried = total["kinds"]["http"]["requests"] + total["kinds"]["ssh"]["requests"]
    assert [ok for _, ok in total["connections"]] == [False] * tried


def test_no_more_tries_at_once_than_the_bound(lone_namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "UNDER_WAY_MAX", 3)
    monkeypatch.setattr(clients, "TRY_S_MAX", 0.5)
    monkeypatch.setattr(clients, "MIX", {"dns": 1})
    with run_in(lone_namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind((HERE, 53))
        client = Client([HERE], rate=200, scans=False, seed=3)
        trying = NamespaceLoop(lone_namespace, client.start, client.close, name="client")
        trying.start()
        wait_for(lambda: client.counts.copy().skipped > 5)
        assert client.under_way <= 3
        trying.stop()
