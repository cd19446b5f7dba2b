"""What the lab's internet clients do: HTTP, DNS, ping, something like SSH, and now and then a port scan.

Every try is fresh, with real sockets, and gives up after `TRY_S_MAX` at each step, so that a fail-over shows soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import time
from collections.abc import Sequence

from forwarder.lab import servers
from forwarder.lab.dns_message import Question, answers, pack_question
from forwarder.lab.echo import ECHO_REPLY, ECHO_REQUEST, Echo, pack_echo, read_echo
from forwarder.lab.traffic_counts import TrafficCounts

TRY_S_MAX = 1.5
UNDER_WAY_MAX = 200
#: What a try is, and how often of a hundred.
MIX = {"http": 50, "dns": 28, "ping": 16, "ssh": 6}
#: Sizes of HTTP bodies, small ones more often.
BODY_BYTES = (200, 200, 1_500, 1_500, 6_000, 6_000, 40_000, 200_000)
#: Sizes of ping payloads; the last makes a packet of 8500 bytes, the most that is carried.
PING_BYTES = (56, 56, 56, 56, 512, 1_400, 8_472)
SSH_LINES = (4, 40)
SSH_PAUSE_S = 0.2
SCAN_PERIOD_S = 15.0
SCAN_STEP_S = 0.4
SCAN_PORTS = (21, 22, 23, 25, 80, 110, 135, 139, 143, 443, 445, 993, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 9200)


class Client:
    """One machine's users.  `start`, `end` and `close` run in its namespace's loop."""

    def __init__(self, targets: Sequence[str], *, rate: float, scans: bool, seed: int) -> None:
        """`targets` are the servers' addresses, `rate` is tries a second, `scans` lets it scan ports."""
        self.counts = TrafficCounts()
        self._targets = tuple(targets)
        self._rate = rate
        self._scans = scans
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._schedules: list[asyncio.Task[None]] = []
        self._ping: Pinger | None = None

    @property
    def under_way(self) -> int:
        """Tries that have not ended."""
        return len(self._tasks)

    async def start(self) -> None:
        """Open the ping socket and begin; `OSError` when the socket is refused."""
        self._ping = Pinger()
        self._schedules.append(asyncio.create_task(self._go_on_trying()))
        if self._scans:
            self._schedules.append(asyncio.create_task(self._go_on_scanning()))

    def end(self) -> None:
        """Begin nothing more; what is under way may end by itself."""
        for schedule in self._schedules:
            schedule.cancel()

    def close(self) -> None:
        """Close the ping socket, once no try is under way."""
        if self._ping is not None:
            self._ping.close()

    async def _go_on_trying(self) -> None:
        due_s = time.monotonic()
        kinds, weights = list(MIX), list(MIX.values())
        while True:
            due_s += self._random.expovariate(self._rate)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            kind = self._random.choices(kinds, weights)[0]
            if len(self._tasks) >= UNDER_WAY_MAX:
                self.counts.skipped += 1
                continue
            task = asyncio.create_task(self._try(kind, self._random.choice(self._targets)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _try(self, kind: str, target: str) -> None:
        attempt = {"http": self._http, "dns": self._dns, "ping": self._echo, "ssh": self._ssh}[kind]
        started_s = time.time()
        self.counts.begun(kind)
        failure = ""
        try:
            await attempt(target)
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            failure = type(error).__name__
        self.counts.ended(kind, failure)
        if kind == "http":
            self.counts.connected(started_s, ok=not failure)

    async def _http(self, target: str) -> None:
        size = self._random.choice(BODY_BYTES)
        async with _connection(target, servers.HTTP_PORT) as (reader, writer):
            writer.write(f"GET /bytes/{size} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n".encode())
            async with asyncio.timeout(TRY_S_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200 "):
                    raise ValueError("the answer is not 200")
            async with asyncio.timeout(TRY_S_MAX):
                await reader.readexactly(size)

    async def _ssh(self, target: str) -> None:
        started_s = time.time()
        greeted = False
        try:
            async with _connection(target, servers.SSH_PORT) as (reader, writer):
                greeted = await _line(reader) == servers.BANNER
                self.counts.connected(started_s, ok=greeted)
                for number in range(self._random.randint(*SSH_LINES)):
                    writer.write(b"line %d %s\r\n" % (number, b"x" * self._random.randint(10, 300)))
                    if not (await _line(reader)).startswith(b"ok line %d " % number):
                        raise ValueError("the echo is another")
                    await asyncio.sleep(SSH_PAUSE_S * self._random.random())
        except (TimeoutError, OSError):
            if not greeted:
                self.counts.connected(started_s, ok=False)
            raise

    async def _dns(self, target: str) -> None:
        name = f"host-{self._random.randrange(1000)}.{servers.DNS_ZONE}"
        question = Question(self._random.randrange(65_536), name)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.connect((target, servers.DNS_PORT))
            async with asyncio.timeout(TRY_S_MAX):
                await loop.sock_sendall(channel, pack_question(question))
                while not answers(await loop.sock_recv(channel, 4_096), question):
                    pass

    async def _echo(self, target: str) -> None:
        assert self._ping is not None
        async with asyncio.timeout(TRY_S_MAX):
            await self._ping.ping(target, self._random.choice(PING_BYTES))

    async def _go_on_scanning(self) -> None:
        while True:
            await asyncio.sleep(SCAN_PERIOD_S * (0.5 + self._random.random()) / 2)
            target = self._random.choice(self._targets)
            self.counts.begun("scan")
            async with asyncio.TaskGroup() as probes:
                for port in SCAN_PORTS:
                    probes.create_task(self._probe(target, port))
            self.counts.ended("scan", "")

    async def _probe(self, target: str, port: int) -> None:
        finding = "open"
        try:
            async with asyncio.timeout(SCAN_STEP_S):
                _, writer = await asyncio.open_connection(target, port)
                writer.transport.abort()
        except TimeoutError:
            finding = "filtered"
        except OSError:
            finding = "closed"
        self.counts.scanned(finding)


class Pinger:
    """Echo requests from one raw socket, which sees every reply that reaches the namespace."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        # A packet of exactly the size asked for, whatever the kernel believes of the path.
        ip_mtu_discover, probe = 10, 3
        self._socket.setsockopt(socket.IPPROTO_IP, ip_mtu_discover, probe)
        self._identifier = os.getpid() & 0xFFFF
        self._sequence = 0
        self._waiting: dict[int, tuple[asyncio.Future[None], bytes]] = {}
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def close(self) -> None:
        """Close the socket.  Call it in the loop."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    async def ping(self, target: str, payload_bytes: int) -> None:
        """Send one request and wait for its reply with the same payload."""
        self._sequence = self._sequence + 1 & 0xFFFF
        sequence, payload = self._sequence, servers.BLOCK[:payload_bytes]
        replied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = replied, payload
        try:
            self._socket.sendto(pack_echo(Echo(ECHO_REQUEST, self._identifier, sequence, payload)), (target, 0))
            await replied
        finally:
            del self._waiting[sequence]

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                echo = read_echo(self._socket.recv(65_535))
                if echo is None or echo.type != ECHO_REPLY or echo.identifier != self._identifier:
                    continue
                replied, payload = self._waiting.get(echo.sequence, (None, b""))
                if replied is not None and not replied.done() and echo.payload == payload:
                    replied.set_result(None)


class _connection:  # noqa: N801 - a context manager, used like the function it stands for
    """A TCP connection, made within `TRY_S_MAX`, closed at the end."""

    def __init__(self, target: str, port: int) -> None:
        self._target, self._port = target, port
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(TRY_S_MAX):
            reader, self._writer = await asyncio.open_connection(self._target, self._port)
        return reader, self._writer

    async def __aexit__(self, kind: object, *_: object) -> None:
        assert self._writer is not None
        if kind is not None:
            self._writer.transport.abort()
        self._writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(TRY_S_MAX):
        line = await reader.readline()
    if not line:
        raise EOFError("the server closed the connection")
    return line
