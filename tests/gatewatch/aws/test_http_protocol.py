"""The port against clients that say nothing, too much or nonsense: raw sockets, and botocore beside them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.http_protocol import PortCounts, protocol_of
from gatewatch.aws.server import application

CLIENT_MAX, TOTAL_MAX, HEAD_S = 40, 60, 0.5
HALF = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
WAIT_S = 20.0


class Port:
    """A server on a loopback port, and what it counts."""

    def __init__(self, backend: Any) -> None:
        protocol, self.counts = protocol_of(client_max=CLIENT_MAX, total_max=TOTAL_MAX, head_time_s=HEAD_S)
        app = application(Dispatcher(backend, credentials=None, clock_s=lambda: 0.0), body_bytes_max=2_000)
        self.listener = socket.create_server(("0.0.0.0", 0), backlog=512)
        self.number = self.listener.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, http=protocol, log_level="critical", lifespan="off", timeout_keep_alive=30))
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.number), WAIT_S, source_address=(source, 0))

    def client(self, **config: Any) -> Any:
        return boto3.client(
            "elbv2", endpoint_url=f"http://127.0.0.1:{self.number}", region_name="us-east-1", aws_access_key_id="any",
            aws_secret_access_key="any", config=Config(**{"retries": {"max_attempts": 0}, **config}))


@pytest.fixture
def port(backend: Any) -> Iterator[Port]:
    made = Port(backend)
    made.thread.start()
    yield made
    made.server.should_exit = True
    made.thread.join(WAIT_S)
    made.listener.close()


def answer(sock: socket.socket, request: bytes = b"") -> tuple[int, bytes]:
    """Status and the rest of what comes until the server closes."""
    sock.settimeout(WAIT_S)
    sock.sendall(request)
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"x-amzn-requestid" in head.lower(), received[:200]
    return int(head.split()[1]), body


def test_four_hundred_half_requests_keep_nobody_out(port: Port) -> None:
    with contextlib.ExitStack() as open_ones:
        for _ in range(400):
            sock = open_ones.enter_context(port.connect())
            with contextlib.suppress(OSError):
                sock.sendall(HALF)
        client = port.client()
        for _ in range(3):
            assert client.describe_load_balancers()["ResponseMetadata"]["HTTPStatusCode"] == 200
        client.close()
        assert len(port.counts.connections) <= TOTAL_MAX
    assert port.counts.connections.gave_way >= 300


def test_a_flood_of_one_address_does_not_touch_another(port: Port) -> None:
    with contextlib.ExitStack() as open_ones, port.connect("127.0.0.2") as quiet:
        for _ in range(CLIENT_MAX + 10):
            open_ones.enter_context(port.connect())
        quiet.settimeout(0.05)
        with pytest.raises(TimeoutError):
            quiet.recv(1)
        assert port.counts.connections.gave_way >= 10


def test_a_head_that_does_not_come_is_answered(port: Port) -> None:
    with port.connect() as sock:
        status, body = answer(sock, HALF)
    assert status == 408
    assert b"<Code>RequestTimeout</Code>" in body


def test_a_second_request_has_as_long_as_the_first(port: Port) -> None:
    with port.connect() as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
        assert answer(sock, HALF)[0] == 408


@pytest.mark.parametrize(("request_bytes", "status", "code"), [
    (b"this is no HTTP\r\n\r\n", 400, "MalformedHTTPRequestException"),
    (b"POST / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * 100_000, 431, "RequestHeaderSectionTooLarge"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400, "MalformedHTTPRequestException"),
    (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405, "MethodNotAllowed"),
    (b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405, "MethodNotAllowed"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5_000, 413,
     "RequestEntityTooLargeException"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 400, "MissingAction"),
])
def test_every_answer_of_the_port_has_awss_shape(port: Port, request_bytes: bytes, status: int, code: str) -> None:
    with port.connect() as sock:
        found, body = answer(sock, request_bytes)
    assert (found, f"<Code>{code}</Code>".encode() in body) == (status, True), body


class Held:
    """A backend whose calls wait until they may end."""

    def __init__(self, backend: Any) -> None:
        self.backend, self.may_end = backend, threading.Event()
        self.under_way = threading.Semaphore(0)

    def operations(self, service: str) -> frozenset[str]:
        return frozenset(self.backend.operations(service))

    def __call__(self, call: Any) -> Any:
        self.under_way.release()
        self.may_end.wait(WAIT_S)
        return self.backend(call)


def test_a_client_with_all_its_requests_under_way_is_told_to_come_again_and_sdks_do(backend: Any) -> None:
    held = Held(backend)
    port = Port(held)
    port.thread.start()
    request = (
        HALF + b"Authorization: AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/elasticloadbalancing/aws4_request, "
        b"SignedHeaders=host, Signature=" + b"a" * 64 + b"\r\nContent-Length: 47\r\n\r\nAction=DescribeLoadBalancers&Version=2015-12-01"
    )
    try:
        with contextlib.ExitStack() as open_ones:
            for _ in range(CLIENT_MAX):
                open_ones.enter_context(port.connect()).sendall(request)
            for _ in range(CLIENT_MAX):
                assert held.under_way.acquire(timeout=WAIT_S)
            once = port.client()
            with pytest.raises(once.exceptions.ClientError, match="Throttling"):
                once.describe_load_balancers()
            assert counted(port.counts, "Throttling") == 1
            patient = port.client(retries={"max_attempts": 6, "mode": "standard"})
            threading.Timer(0.5, held.may_end.set).start()
            assert patient.describe_load_balancers()["ResponseMetadata"]["RetryAttempts"] >= 1
            for client in (once, patient):
                client.close()
    finally:
        held.may_end.set()
        port.server.should_exit = True
        port.thread.join(WAIT_S)
        port.listener.close()


def counted(counts: PortCounts, code: str) -> int:
    faults = counts.status()["faults"]
    return int(faults.get(code, 0))
