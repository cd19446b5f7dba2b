"""An endpoint's device: IP packets that the route table hands over come in, returned packets go out.

An AF_PACKET socket only copies (the kernel goes on with the original), so the device must have no address of its own
and its namespace must not forward; the lab sees to that.  Frames carry a virtio header here (`PACKET_VNET_HDR`): it is
ten bytes, and says when the sender left the checksum for hardware to fill in, which is then done on the spot.
Sources: packet(7), `linux/if_packet.h`, `linux/virtio_net.h`.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from pathlib import Path

from forwarder.datapath.offloads import offloads_on
from forwarder.datapath.send_patience import SendPatience
from forwarder.datapath.socket_options import attach_filter, enlarge_receive_buffer, refuse_all
from forwarder.network_namespace import run_in
from forwarder.wire.checksum import internet_checksum

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23

VIRTIO_BYTES = 10
ETHERNET_BYTES = 14
_START = VIRTIO_BYTES + ETHERNET_BYTES
_NEEDS_CHECKSUM = 1
_VIRTIO = struct.Struct("=BBHHHH")
_STATISTICS = struct.Struct("=II")
_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}

#: A frame's most bytes: the largest packet that segmentation offload can make, its headers, some room.
FRAME_BYTES_MAX = 65_535 + 128

# The kernel takes the tag out of a frame of a VLAN, which then looks like one of the endpoint's own; only a filter can
# still tell.  Cut to one byte it comes in and is counted as another's.  Source: `linux/filter.h` (SKF_AD_VLAN_TAG_PRESENT).
_LOAD, _JUMP_IF_EQUAL, _RETURN, _TAG_PRESENT = 0x20, 0x15, 0x06, 0xFFFF_F030
_CUT_TAGGED = ((_LOAD, 0, 0, _TAG_PRESENT), (_JUMP_IF_EQUAL, 0, 1, 0), (_RETURN, 0, 0, FRAME_BYTES_MAX), (_RETURN, 0, 0, 1))

_GONE = (errno.ENETDOWN, errno.ENODEV, errno.ENXIO)


class EndpointPort:
    """The endpoint's end of the wire.  Methods are for the packet thread alone, save where they say otherwise.

    Public counts: `frames_other` (ARP, multicast, frames for another machine or of a VLAN), `checksums_completed`,
    `segments_merged` (frames that hold several packets because an offload is on), `send_retries`.
    """

    def __init__(self, *, device: str, router_mac: str, netns: str, receive_buffer_bytes: int) -> None:
        self.device = device
        self.netns = netns
        self.frames_other = 0
        self.checksums_completed = 0
        self.segments_merged = 0
        self.offloads: list[str] = []
        self.kernel_forwards = False
        self.receive_buffer_bytes = 0
        self.down = False
        self._wanted_buffer_bytes = receive_buffer_bytes
        self._router_mac = bytes.fromhex(router_mac.replace(":", ""))
        self._buffer = bytearray(FRAME_BYTES_MAX)
        self._view = memoryview(self._buffer)
        self._patience = SendPatience()

    def open(self) -> None:
        """Open both sockets inside the namespace, before there is a packet thread; `OSError` names a missing device."""
        try:
            run_in(self.netns, self._open)
        except OSError as error:
            where = f"{self.device} in namespace {self.netns}" if self.netns else self.device
            raise OSError(error.errno, f"cannot open a packet socket: {error.strerror}", where) from error

    def _open(self) -> None:
        # Protocol 0 receives nothing until bind, so that no frame of another device slips in.
        with contextlib.ExitStack() as undo:
            self._receive = undo.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
            self._send = undo.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
            self._bind()
            undo.pop_all()

    def _bind(self) -> None:
        self._receive.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self._receive.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.receive_buffer_bytes = enlarge_receive_buffer(self._receive, self._wanted_buffer_bytes)
        attach_filter(self._receive, _CUT_TAGGED)
        self._receive.setblocking(False)
        self._receive.bind((self.device, ETH_P_ALL))
        self._own_mac = b""
        self._headers: dict[int, bytes] = {}
        self.follow_address()
        self._send.setblocking(False)
        self._send.bind((self.device, 0))
        self.offloads = offloads_on(self.device)
        self.kernel_forwards = _kernel_forwards(self.device)
        self.down = False

    def follow_address(self) -> None:
        """Take over the device's present address.  Any thread may call it; udev, for one, may give a new device another."""
        own_mac: bytes = self._receive.getsockname()[4]
        if own_mac in (b"", self._own_mac):  # empty: the device is gone, which `lost` tells
            return
        self._own_mac = own_mac
        self._headers = {version: self._router_mac + own_mac + kind for version, kind in _ETHERTYPES.items()}

    def fileno(self) -> int:
        """Descriptor to wait on for packets."""
        return self._receive.fileno()

    def receive(self, packets_max: int) -> list[bytes]:
        """At most `packets_max` IP packets that wait, without their Ethernet header; never blocks.

        `down` is set when the device has gone down; the socket resumes by itself once it is up again.
        """
        packets: list[bytes] = []
        take, view, buffer, own_mac = self._receive.recv_into, self._view, self._buffer, self._own_mac
        try:
            for _ in range(packets_max):
                count = take(buffer)
                kind = buffer[22:24]
                if count < _START or not buffer.startswith(own_mac, VIRTIO_BYTES) or (
                    kind != b"\x08\x00" and kind != b"\x86\xdd"
                ):
                    self.frames_other += 1
                    continue
                if buffer[0] or buffer[1]:
                    self._finish(count)
                packets.append(bytes(view[_START:count]))
        except BlockingIOError:
            self.down = False
        except OSError as error:
            # Anything else comes again when it lasts; what was taken before it must not be lost.
            if error.errno not in _GONE and not packets:
                raise
            self.down = error.errno in _GONE
        return packets

    def _finish(self, count: int) -> None:
        """Do what an offload left undone: fill in the checksum of the frame in the buffer; count merged segments."""
        flags, segmentation, _, _, start, offset = _VIRTIO.unpack_from(self._buffer)
        if segmentation:
            self.segments_merged += 1
        at = VIRTIO_BYTES + start + offset
        if flags & _NEEDS_CHECKSUM and at + 2 <= count:
            # UDP writes 0 as 0xffff (RFC 768); for TCP the two are equal.
            checksum = internet_checksum(bytes(self._view[VIRTIO_BYTES + start : count])) or 0xFFFF
            struct.pack_into("!H", self._buffer, at, checksum)
            self.checksums_completed += 1

    def new_batch(self) -> None:
        """Give the next batch its share of retries."""
        self._patience.renew()

    @property
    def send_retries(self) -> int:
        """How often a full send queue was tried again."""
        return self._patience.retries

    def deliver(self, inner: bytes) -> bool:
        """Send an IP packet to the VPC's router; False when the device would not take it, even after a few tries."""
        header = self._headers.get(inner[0] >> 4)
        if header is None:
            return False
        frame = header + inner
        while True:
            try:
                self._send.send(frame)
                return True
            except OSError as error:
                if not self._patience.again(error):
                    return False

    def kernel_drops(self) -> int:
        """Packets the kernel dropped since the last call because the receive queue was full."""
        _, drops = _STATISTICS.unpack(self._receive.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size))
        return int(drops)

    def lost(self) -> bool:
        """Whether the device was removed for good; one of the same name is another one.  Any thread may call it."""
        return bool(self._receive.getsockname()[0] != self.device)

    def refuse_new(self) -> None:
        """Let nothing more into the receive queue; what is in it can still be received."""
        refuse_all(self._receive)

    def close(self) -> None:
        """Close both sockets."""
        self._receive.close()
        self._send.close()


def _kernel_forwards(device: str) -> bool:
    """Whether the kernel would forward what arrives on the device by itself, past the gateway."""
    try:
        return Path(f"/proc/sys/net/ipv4/conf/{device}/forwarding").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False
