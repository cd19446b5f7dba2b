"""Socket options, on sockets of the loopback; none of them needs a privilege."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from forwarder.datapath.socket_options import attach_filter, enlarge_receive_buffer, receive_drops, refuse_all
from tests.forwarder.datapath.arrival import queued_bytes, wait_for


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A receiver that never blocks, and a sender to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        sender.connect(receiver.getsockname())
        yield receiver, sender


def test_the_buffer_is_as_large_as_the_kernel_grants(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver, _ = pair
    assert enlarge_receive_buffer(receiver, 65_536) == 65_536


def test_refusing_leaves_what_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver, sender = pair
    sender.send(b"before")
    wait_for(lambda: queued_bytes(receiver))
    refuse_all(receiver)
    sender.send(b"after")
    assert receiver.recv(100) == b"before"
    with pytest.raises(BlockingIOError):
        receiver.recv(100)


def test_a_filter_takes_the_place_of_the_one_before(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver, sender = pair
    refuse_all(receiver)
    attach_filter(receiver, ((0x06, 0, 0, 8 + 3),))  # the UDP header and three bytes
    sender.send(b"abcdef")
    wait_for(lambda: queued_bytes(receiver))
    assert receiver.recv(100) == b"abc"


def test_drops_are_those_of_a_full_queue(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver, sender = pair
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    assert receive_drops(receiver) == 0
    sent = 100
    for _ in range(sent):
        sender.send(bytes(1_000))
    wait_for(lambda: receive_drops(receiver))
    received = 0

    def all_known() -> bool:
        nonlocal received
        try:
            while receiver.recv(2_000):
                received += 1
        except BlockingIOError:
            pass
        return received + receive_drops(receiver) == sent

    wait_for(all_known)
