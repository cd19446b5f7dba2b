"""What the lab's servers answer; the sockets themselves are tried by `test_clients.py`."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus

import pytest

from forwarder.lab.servers import BLOCK, BODY_BYTES_MAX, Servers, body, http_answer


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_body_has_the_size_asked_for_and_known_content(size: int) -> None:
    answer = http_answer("GET", f"/bytes/{size}")
    whole = b"".join(answer.body)
    assert answer.status is HTTPStatus.OK
    assert len(whole) == answer.body_bytes == size
    assert whole == b"".join(body(size)) == (BLOCK * 4)[:size]


def test_the_block_is_the_same_in_every_process() -> None:
    assert hashlib.sha256(BLOCK).hexdigest() == "9a200ace37838449d2cb7d2c1bca41b85b9b2cab94e16e6cc69acc72330ebba3"


@pytest.mark.parametrize("path", ["/bytes/", "/bytes/x", "/bytes/-1", "/bytes/1e9", f"/bytes/{BODY_BYTES_MAX + 1}", "/else"])
def test_what_is_not_there_is_said(path: str) -> None:
    assert http_answer("GET", path).status is HTTPStatus.NOT_FOUND


def test_methods_and_the_front_page() -> None:
    assert http_answer("POST", "/").status is HTTPStatus.METHOD_NOT_ALLOWED
    assert http_answer("GET", "/").status is HTTPStatus.OK


@pytest.mark.parametrize("part", ["http", "ssh"])
def test_a_connection_under_way_when_the_loop_ends_is_no_error(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forwarder.lab.servers.HTTP_PORT", 0)
    monkeypatch.setattr("forwarder.lab.servers.DNS_PORT", 0)
    monkeypatch.setattr("forwarder.lab.servers.SSH_PORT", 0)
    told: list[object] = []

    async def run() -> dict[str, int]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        servers = Servers("127.0.0.1")
        await servers.open()
        assert servers._ssh_listener is not None
        port = servers.http.port if part == "http" else servers._ssh_listener.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        while not servers.counts()[part]["connections"]:
            await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()
        servers.close()
        await asyncio.sleep(0)
        return servers.counts()[part]

    counts = asyncio.run(run())
    assert told == []
    assert counts["connections"] == 1
    assert counts.get("failed", 1) == 1


def test_counts_begin_at_nothing() -> None:
    assert Servers("127.0.0.1").counts() == {
        "http": {"connections": 0, "answered": 0, "refused": 0, "failed": 0},
        "dns": {"answered": 0, "malformed": 0},
        "ssh": {"connections": 0, "refused": 0, "lines": 0},
    }
