"""What the lab's application servers answer: HTTP on 80, DNS on UDP 53, something like SSH on 22."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from http import HTTPStatus
from typing import cast

from forwarder.lab.dns_message import BadMessage, pack_answer, read_question
from forwarder.lab.http_server import Answer, HttpServer, text_answer

HTTP_PORT, DNS_PORT, SSH_PORT = 80, 53, 22
DNS_ZONE = "lab.internal"
BANNER = b"SSH-2.0-gatewatch_lab\r\n"
BODY_BYTES_MAX = 1 << 30
SSH_CONNECTIONS_MAX = 256
SSH_LINES_MAX = 1_000
SSH_LINE_S_MAX = 10.0
LINE_BYTES_MAX = 4_096

#: What every body is made of, over and over: the same in each process, so a receiver can check what it got.
BLOCK = random.Random(6081).randbytes(65_536)


def body(size_bytes: int) -> Iterator[bytes]:
    """The body of `/bytes/<size>`, in pieces."""
    for start in range(0, size_bytes, len(BLOCK)):
        yield BLOCK[:size_bytes - start]


def http_answer(method: str, path: str) -> Answer:
    """`/` is a short page, `/bytes/N` has N bytes."""
    if method not in ("GET", "HEAD"):
        return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD")
    if path == "/":
        return text_answer(HTTPStatus.OK, "an application server of the lab; /bytes/N answers N bytes")
    size = path.removeprefix("/bytes/")
    if path.startswith("/bytes/") and size.isascii() and size.isdecimal() and int(size) <= BODY_BYTES_MAX:
        return Answer(body=body(int(size)), body_bytes=int(size), content_type="application/octet-stream")
    return text_answer(HTTPStatus.NOT_FOUND, f"/bytes/N with N up to {BODY_BYTES_MAX}")


class Servers:
    """All servers of one machine.  `dns` and `ssh` count what was answered, by kind."""

    def __init__(self, address: str) -> None:
        self.http = HttpServer(http_answer)
        self.dns = {"answered": 0, "malformed": 0}
        self.ssh = {"connections": 0, "refused": 0, "lines": 0}
        self._address = address
        self._ssh_under_way = 0
        self._ssh_listener: asyncio.Server | None = None
        self._dns_transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Start to listen in the running loop; `OSError` when a port is taken."""
        await self.http.listen(self._address, HTTP_PORT)
        loop = asyncio.get_running_loop()
        self._dns_transport, _ = await loop.create_datagram_endpoint(
            lambda: _Dns(self), local_addr=(self._address, DNS_PORT)
        )
        self._ssh_listener = await asyncio.start_server(self._serve_ssh, self._address, SSH_PORT, limit=LINE_BYTES_MAX)

    def close(self) -> None:
        """Stop to listen.  Call it in the loop."""
        self.http.close()
        for open_one in (self._dns_transport, self._ssh_listener):
            if open_one is not None:
                open_one.close()

    def counts(self) -> dict[str, dict[str, int]]:
        """What was answered, for the status file."""
        http = self.http.counts
        return {
            "http": {"connections": http.connections, "answered": http.answered, "refused": http.refused,
                     "failed": sum(http.failed.values())},
            "dns": dict(self.dns), "ssh": dict(self.ssh),
        }

    async def _serve_ssh(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ssh["connections"] += 1
        if self._ssh_under_way >= SSH_CONNECTIONS_MAX:
            self.ssh["refused"] += 1
            writer.transport.abort()
            return
        self._ssh_under_way += 1
        try:
            writer.write(BANNER)
            for _ in range(SSH_LINES_MAX):
                async with asyncio.timeout(SSH_LINE_S_MAX):
                    line = await reader.readline()
                if not line:
                    break
                self.ssh["lines"] += 1
                writer.write(b"ok " + line)
        except (TimeoutError, OSError, ValueError, asyncio.CancelledError):
            # The client went away, stalled or sent an endless line: its connection ends; or the loop ends, which Python
            # 3.11 would print as an error if it were raised further.
            pass
        finally:
            self._ssh_under_way -= 1
            writer.close()


class _Dns(asyncio.DatagramProtocol):
    """Answers every name of the zone with its own machine's address, others with a name error."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # by its class it is none before Python 3.12

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            question = read_question(data)
        except BadMessage:
            self._servers.dns["malformed"] += 1
            return
        known = question.name.endswith(DNS_ZONE)
        assert self._transport is not None
        self._transport.sendto(pack_answer(question, "10.0.2.11" if known else None), addr)
        self._servers.dns["answered"] += 1
