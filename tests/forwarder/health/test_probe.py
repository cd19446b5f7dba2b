"""Probes against servers on the loopback interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from forwarder.desired import HealthCheck
from forwarder.health.probe import Outcome, ProbeResult, probe

Serve = Callable[[bytes | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that sends the given bytes to each connection (None: nothing, and keeps it open); its port."""
    listeners: list[socket.socket] = []
    kept: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept(listener: socket.socket, answer: bytes | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if answer is None:
                kept.append(connection)
                continue
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

    def start(answer: bytes | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=accept, args=(listener, answer))
        thread.start()
        threads.append(thread)
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()
    for connection in kept:
        connection.close()


def ask(port: int, protocol: str = "HTTP", **changed: object) -> ProbeResult:
    values: dict[str, object] = {"protocol": protocol, "port": port, "timeout_s": 30, **changed}
    return probe(HealthCheck(**values), "127.0.0.1", "127.0.0.1")  # type: ignore[arg-type]


def test_a_connection_is_enough_for_tcp(serve: Serve) -> None:
    result = ask(serve(None), "TCP")
    assert result.passed
    assert result.packets == 7


def test_nobody_listening_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = ask(unused.getsockname()[1], "TCP")
    assert result.outcome is Outcome.REFUSED
    assert "refused" in result.detail


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", b"HTTP/1.1 204\r\n",
])
def test_a_success_code_passes(serve: Serve, answer: bytes) -> None:
    assert ask(serve(answer)).passed


def test_another_code_fails_and_is_named(serve: Serve) -> None:
    result = ask(serve(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    assert result.outcome is Outcome.WRONG_CODE
    assert result.detail == "Health checks failed with these codes: [503]"


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n", b"HTTP/1.1\r\n", b"x" * 10_000])
def test_what_is_not_http_fails(serve: Serve, answer: bytes) -> None:
    assert ask(serve(answer)).outcome in (Outcome.BAD_ANSWER, Outcome.REFUSED)


def test_silence_ends_after_the_time_out(serve: Serve) -> None:
    assert ask(serve(None), timeout_s=0.2).outcome is Outcome.TIMED_OUT


def test_tls_to_a_plain_server_fails(serve: Serve) -> None:
    assert ask(serve(b"HTTP/1.1 200 OK\r\n\r\n"), "HTTPS").outcome is Outcome.BAD_ANSWER


def test_a_source_address_that_is_not_ours_is_no_fault_of_the_target(serve: Serve) -> None:
    result = probe(HealthCheck(port=serve(None), timeout_s=1), "127.0.0.1", "192.0.2.1")
    assert result.outcome is Outcome.LOCAL_ERROR
