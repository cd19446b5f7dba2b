"""The endpoint's port against a real veth pair."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from forwarder.datapath.packet_socket import EndpointPort
from forwarder.datapath.send_patience import SEND_RETRIES_MAX
from forwarder.network_namespace import run_in
from forwarder.wire.checksum import internet_checksum
from tests.forwarder.datapath.arrival import lost_and_received, queued_bytes, taken, wait_for

pytestmark = pytest.mark.network


@pytest.fixture
def wire(network: Any) -> Iterator[tuple[EndpointPort, socket.socket, Any, str, str]]:
    """The port on `gwe`, and a raw socket at the router's end, `gwr`."""
    gateway, router = network.namespace("g"), network.namespace("r")
    network.pair((gateway, "gwe"), (router, "gwr"))
    far = run_in(router, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    far.bind(("gwr", 3))
    far.settimeout(30)
    router_mac = far.getsockname()[4].hex(":")
    port = EndpointPort(device="gwe", router_mac=router_mac, netns=gateway, receive_buffer_bytes=1 << 20)
    port.open()
    yield port, far, network, gateway, router
    port.close()
    far.close()


def own_mac(port: EndpointPort) -> bytes:
    return port._receive.getsockname()[4]


def ipv4(length: int, payload_byte: bytes = b"x") -> bytes:
    addresses = bytes([10, 0, 3, 5, 203, 0, 113, 9])
    header = struct.pack("!BBHHHBBH8s", 0x45, 0, length, 1, 0, 64, 17, 0, addresses)
    return header + payload_byte * (length - 20)


def test_an_ip_packet_comes_in_without_its_ethernet_header(wire: Any) -> None:
    port, far, *_ = wire
    for length in (64, 8500, 8501):
        far.send(own_mac(port) + b"\x02\0\0\0\0\x01" + b"\x08\x00" + ipv4(length))
    assert taken(port, 3) == [ipv4(64), ipv4(8500), ipv4(8501)]
    assert port.receive(64) == []


def test_at_most_a_batch_is_taken(wire: Any) -> None:
    port, far, *_ = wire
    frame = own_mac(port) + bytes(6) + b"\x08\x00" + ipv4(64)
    far.send(frame)
    wait_for(lambda: queued_bytes(port._receive))
    one_bytes = queued_bytes(port._receive)
    for _ in range(4):
        far.send(frame)
    wait_for(lambda: queued_bytes(port._receive) == 5 * one_bytes)
    assert [len(port.receive(3)), len(port.receive(3))] == [3, 2]


def test_frames_that_no_route_table_sent_are_counted_apart(wire: Any) -> None:
    port, far, *_ = wire
    far.send(b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(28))  # ARP
    far.send(b"\x33\x33\0\0\0\x16" + bytes(6) + b"\x86\xdd" + bytes(40))  # multicast
    far.send(b"\x02\0\0\0\0\x77" + bytes(6) + b"\x08\x00" + ipv4(64))  # someone else's
    wait_for(lambda: port.receive(64) or port.frames_other == 3)
    assert port.receive(64) == []
    assert port.frames_other == 3


def test_ipv6_comes_in_too(wire: Any) -> None:
    port, far, *_ = wire
    packet = b"\x60" + bytes(39)
    far.send(own_mac(port) + bytes(6) + b"\x86\xdd" + packet)
    assert taken(port, 1) == [packet]


def test_a_delivered_packet_goes_to_the_router(wire: Any) -> None:
    port, far, *_ = wire
    assert port.deliver(ipv4(8500))
    frame = far.recv(9100)
    assert frame[:6] == far.getsockname()[4]
    assert frame[6:12] == own_mac(port)
    assert frame[12:] == b"\x08\x00" + ipv4(8500)
    assert port.deliver(b"\x60" + bytes(39))
    assert far.recv(9100)[12:] == b"\x86\xdd\x60" + bytes(39)


def test_its_own_packets_do_not_come_back_in(wire: Any) -> None:
    port, far, *_ = wire
    assert port.deliver(ipv4(64))
    assert far.recv(9100)[14:] == ipv4(64)
    assert port.receive(64) == []


def test_a_packet_too_long_for_the_device_is_not_delivered_and_the_next_one_is(wire: Any) -> None:
    port, far, *_ = wire
    assert not port.deliver(ipv4(9500))
    assert not port.deliver(b"\x90" + bytes(30))  # no IP version 9
    assert port.deliver(ipv4(64))
    assert far.recv(9100)[14:] == ipv4(64)


def test_a_full_send_queue_is_tried_again_and_then_given_up(wire: Any, network: Any) -> None:
    port, _far, _, gateway, _ = wire
    slow = ("tbf", "rate", "8kbit", "burst", "1600", "limit", "3000")
    inside(gateway, "tc", "qdisc", "add", "dev", "gwe", "root", *slow)
    port.new_batch()
    outcomes = [port.deliver(ipv4(1000)) for _ in range(20)]
    assert outcomes[0]
    assert not outcomes[-1]
    assert port.send_retries == SEND_RETRIES_MAX  # a batch shares them, so that one full queue cannot hold up the loop
    inside(gateway, "tc", "qdisc", "delete", "dev", "gwe", "root")
    assert port.deliver(ipv4(64))


def test_kernel_drops_are_told_once(wire: Any) -> None:
    port, far, *_ = wire
    port._receive.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    sent = 500
    for _ in range(sent):
        far.send(own_mac(port) + bytes(6) + b"\x08\x00" + ipv4(1000))
    drops, received = lost_and_received(port, sent)
    assert drops > 0
    assert received + drops == sent
    assert port.kernel_drops() == 0


def test_after_refusing_only_what_waits_comes(wire: Any) -> None:
    port, far, *_ = wire
    frame = own_mac(port) + bytes(6) + b"\x08\x00"
    far.send(frame + ipv4(64))
    wait_for(lambda: queued_bytes(port._receive))
    port.refuse_new()
    far.send(frame + ipv4(65))
    assert port.receive(64) == [ipv4(64)]
    assert port.receive(64) == []
    assert port.kernel_drops() == 0


def test_a_checksum_left_to_the_hardware_is_filled_in(wire: Any) -> None:
    port, _, network, _gateway, router = wire
    inside(router, "ethtool", "-K", "gwr", "tx", "on")
    network.address(router, "gwr", "10.0.3.1/24")
    ip("-n", router, "neigh", "add", "10.0.3.2", "lladdr", own_mac(port).hex(":"), "dev", "gwr")
    sender = run_in(router, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    for payload in (b"hello", b"even"):
        sender.sendto(payload, ("10.0.3.2", 4000))
    sender.close()
    packets = taken(port, 2)
    assert port.checksums_completed == len(packets) == 2
    for packet in packets:
        pseudo = packet[12:20] + struct.pack("!HH", 17, len(packet) - 20)
        assert internet_checksum(pseudo + packet[20:]) == 0


def test_a_device_that_is_not_there_is_named() -> None:
    port = EndpointPort(device="gw-none", router_mac="02:00:00:00:00:01", netns="", receive_buffer_bytes=65_536)
    with pytest.raises(OSError, match="gw-none"):
        port.open()


def test_a_device_that_goes_down_is_noticed_and_comes_back(wire: Any) -> None:
    port, far, network, gateway, router = wire
    ip("-n", gateway, "link", "set", "gwe", "down")
    assert port.receive(64) == []
    assert port.down
    assert not port.deliver(ipv4(64))
    ip("-n", gateway, "link", "set", "gwe", "up")
    network.wait_until_up((gateway, "gwe"), (router, "gwr"))
    far.close()
    again = run_in(router, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    again.bind(("gwr", 3))
    again.send(own_mac(port) + bytes(6) + b"\x08\x00" + ipv4(64))
    assert taken(port, 1) == [ipv4(64)]
    assert not port.receive(1)
    assert not port.down
    again.close()


def test_offloads_that_are_on_are_told(wire: Any) -> None:
    port, _, _network, gateway, _ = wire
    assert port.offloads == []
    inside(gateway, "ethtool", "-K", "gwe", "tx", "on", "gro", "on")
    port.close()
    port.open()
    assert set(port.offloads) >= {"tx", "gro"}


def test_a_removed_device_is_lost_also_when_one_of_its_name_comes_back(wire: Any) -> None:
    port, _, network, gateway, router = wire
    assert not port.lost()
    ip("-n", gateway, "link", "delete", "gwe")
    network.pair((gateway, "gwe"), (router, "gwr"))
    assert port.receive(1) == []
    assert port.lost()


def test_a_kernel_that_forwards_past_the_gateway_is_noticed(wire: Any) -> None:
    port, _, _, gateway, _ = wire
    assert not port.kernel_forwards
    inside(gateway, "sysctl", "-qw", "net.ipv4.conf.gwe.forwarding=1")
    port.close()
    port.open()
    assert port.kernel_forwards


def ip(*arguments: str) -> None:
    import subprocess

    subprocess.run(["ip", *arguments], check=True)


def inside(namespace: str, *command: str) -> None:
    ip("netns", "exec", namespace, *command)


@pytest.mark.parametrize("tag", [b"\x81\x00\x00\x0a", b"\x88\xa8\x00\x0a"], ids=["802.1Q", "802.1ad"])
def test_a_frame_of_a_vlan_is_not_the_endpoints(wire: Any, tag: bytes) -> None:
    port, far, *_ = wire
    far.send(own_mac(port) + bytes(6) + tag + b"\x08\x00" + ipv4(64, b"v"))
    far.send(own_mac(port) + bytes(6) + b"\x08\x00" + ipv4(64))
    assert taken(port, 1) == [ipv4(64)]
    assert port.frames_other == 1


def test_a_device_that_gets_another_address_goes_on_under_it(wire: Any) -> None:
    port, far, _, gateway, _ = wire
    ip("-n", gateway, "link", "set", "gwe", "address", "02:00:00:00:0e:0e")
    port.follow_address()
    far.send(bytes.fromhex("020000000e0e") + bytes(6) + b"\x08\x00" + ipv4(64))
    assert taken(port, 1) == [ipv4(64)]
    assert port.deliver(ipv4(80))
    frame = far.recv(9100)
    while frame[14:] != ipv4(80):
        frame = far.recv(9100)
    assert frame[6:12].hex() == "020000000e0e"
