"""Silenced hosts cannot send, not even what their kernel repeats, and still receive."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import pytest

from forwarder.lab.lab import Lab
from forwarder.lab.plan import Role
from forwarder.lab.silence import silence
from forwarder.network_namespace import run_in

pytestmark = pytest.mark.network
PORT = 9_999


@pytest.fixture
def silenced(privileged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of its own, silenced: the other tests' must go on."""
    data = tmp_path_factory.mktemp("silent")
    lab = Lab.up(data, name=f"t{os.getpid()}s")
    silence(lab)
    yield lab
    Lab.down(data)


def datagram_to(address: str) -> int:
    """Send one; the error number, 0 for none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.sendto(b"hello", (address, PORT))
        except OSError as error:
            return error.errno or 0
    return 0


def listening() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("0.0.0.0", PORT))
    one.settimeout(20)
    return one


def test_hosts_send_nothing_and_receive_all_the_same(silenced: Lab) -> None:
    client, server = silenced.clients[0], silenced.servers[0]
    assert run_in(client.netns, lambda: datagram_to(server.address)) == errno.EINVAL
    assert run_in(server.netns, lambda: datagram_to(client.address)) == errno.EINVAL
    router = next(entry for entry in silenced.plan.namespaces if entry.role is Role.ROUTER)
    with run_in(server.netns, listening) as receiver:
        assert run_in(router.name, lambda: datagram_to(server.address)) == 0
        assert receiver.recv(100) == b"hello"
