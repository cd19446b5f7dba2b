"""The balancer's interface: GENEVE goes out to the targets and comes back, all on UDP port 6081.

Two sockets, because a UDP socket can only send from its own port while each flow has a source port of its own: outer
packets leave by a raw socket (`IP_HDRINCL`), the answers, which keep port 6081 as destination, arrive at a UDP socket.
Sources: raw(7), udp(7); port use as in the wire codec's reference for Gateway Load Balancer targets.
"""

from __future__ import annotations

import contextlib
import errno
import socket

from forwarder.datapath.send_patience import SendPatience
from forwarder.datapath.socket_options import enlarge_receive_buffer, receive_drops, refuse_all
from forwarder.network_namespace import run_in

GENEVE_PORT = 6081
DATAGRAM_BYTES_MAX = 65_535

_TOLD_ONCE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN)


class NodePort:
    """The balancer's end of the tunnels, one for each node address.  For the packet thread alone, save `open`."""

    def __init__(self, *, address: str, device: str, netns: str, receive_buffer_bytes: int) -> None:
        self.address = address
        self.device = device
        self.netns = netns
        self.receive_buffer_bytes = 0
        self._wanted_buffer_bytes = receive_buffer_bytes
        self._patience = SendPatience()
        self._drops_seen = 0

    def open(self) -> None:
        """Open both sockets inside the namespace; `OSError` says which address and device."""
        try:
            run_in(self.netns, self._open)
        except OSError as error:
            where = f"{self.address} on {self.device}" + (f" in namespace {self.netns}" if self.netns else "")
            raise OSError(error.errno, f"cannot open the GENEVE sockets: {error.strerror}", where) from error

    def _open(self) -> None:
        with contextlib.ExitStack() as undo:
            self._receive = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self._send = undo.enter_context(raw)
            self._bind()
            undo.pop_all()

    def _bind(self) -> None:
        device = self.device.encode() + b"\0"
        self._receive.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        self.receive_buffer_bytes = enlarge_receive_buffer(self._receive, self._wanted_buffer_bytes)
        self._receive.setblocking(False)
        self._receive.bind((self.address, GENEVE_PORT))
        # Bound to the address, for rules that route by source; not to the device, which would make Linux take a
        # target without a route for a neighbour and lose the packet without a word.
        self._send.bind((self.address, 0))
        # A jumbo packet takes about twice its size in the kernel's count; room for a batch of them.
        self._send.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self._send.setblocking(False)

    def fileno(self) -> int:
        """Descriptor to wait on for returned packets."""
        return self._receive.fileno()

    def receive(self, datagrams_max: int) -> list[tuple[bytes, str, int]]:
        """At most `datagrams_max` waiting datagrams as (UDP payload, source address, source port); never blocks."""
        datagrams: list[tuple[bytes, str, int]] = []
        take = self._receive.recvfrom
        try:
            for _ in range(datagrams_max):
                payload, (address, port) = take(DATAGRAM_BYTES_MAX)
                datagrams.append((payload, address, port))
        except BlockingIOError:
            pass
        except OSError as error:
            # An ICMP error or a device that went down is told once, through the next receive; nothing was lost by it.
            # Anything else comes again when it lasts; what was taken before it must not be lost.
            if error.errno not in _TOLD_ONCE and not datagrams:
                raise
        return datagrams

    def new_batch(self) -> None:
        """Give the next batch its share of retries."""
        self._patience.renew()

    @property
    def send_retries(self) -> int:
        """How often a full send queue was tried again."""
        return self._patience.retries

    def send(self, outer: bytes, target_address: str) -> bool:
        """Send a whole outer IPv4 packet; False when the kernel would not take it, even after a few tries."""
        while True:
            try:
                self._send.sendto(outer, (target_address, 0))
                return True
            except OSError as error:
                if not self._patience.again(error):
                    return False

    def kernel_drops(self) -> int:
        """Datagrams the kernel dropped since the last call: receive queue full, or a wrong UDP checksum."""
        drops = receive_drops(self._receive)
        fresh = (drops - self._drops_seen) & 0xFFFFFFFF
        self._drops_seen = drops
        return fresh

    def lost(self) -> bool:
        """Whether the device was removed for good; one of the same name that comes later is another one."""
        try:
            self._receive.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            return True
        return False

    def refuse_new(self) -> None:
        """Let nothing more into the receive queue; what is in it can still be received."""
        refuse_all(self._receive)

    def close(self) -> None:
        """Close both sockets."""
        self._receive.close()
        self._send.close()
