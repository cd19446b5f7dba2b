"""Patience with a full send queue: shared by a batch, renewed for the next, none for what does not pass."""

from __future__ import annotations

import errno

import pytest

from forwarder.datapath import send_patience
from forwarder.datapath.send_patience import SEND_RETRIES_MAX, SEND_RETRY_S, SendPatience


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(send_patience.time, "sleep", made.append)
    return made


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM])
def test_a_batch_shares_its_retries_and_the_next_has_its_own(pauses: list[float], number: int) -> None:
    patience, full = SendPatience(), OSError(number, "full")
    assert [patience.again(full) for _ in range(SEND_RETRIES_MAX + 2)] == [True] * SEND_RETRIES_MAX + [False] * 2
    assert pauses == [SEND_RETRY_S] * SEND_RETRIES_MAX
    patience.renew()
    assert patience.again(full)
    assert patience.retries == SEND_RETRIES_MAX + 1


@pytest.mark.parametrize("number", [errno.EMSGSIZE, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EPERM])
def test_what_does_not_pass_is_not_waited_for(pauses: list[float], number: int) -> None:
    patience = SendPatience()
    assert not patience.again(OSError(number, "no"))
    assert (pauses, patience.retries) == ([], 0)
