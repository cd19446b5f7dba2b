"""What the lab's servers answer; the sockets themselves are tried by `test_clients.py`."""

from __future__ import annotations

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


def test_counts_begin_at_nothing() -> None:
    assert Servers("127.0.0.1").counts() == {
        "http": {"connections": 0, "answered": 0, "refused": 0, "failed": 0},
        "dns": {"answered": 0, "malformed": 0},
        "ssh": {"connections": 0, "refused": 0, "lines": 0},
    }
