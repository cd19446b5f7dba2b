"""Getting the right to make namespaces, and saying what is missing."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from forwarder.lab import kernel, privilege
from forwarder.lab.privilege import BadEnvironment, Holder


class Joined(Exception):
    """Stands for the process becoming another."""


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Holder, Sequence[str]]]:
    """As if this process lacked a capability; joins are noted, not done."""
    joins: list[tuple[Holder, Sequence[str]]] = []

    def join(holder: Holder, argv: Sequence[str]) -> NoReturn:
        joins.append((holder, argv))
        raise Joined

    monkeypatch.setattr(privilege, "missing_capabilities", lambda: ("CAP_SYS_ADMIN",))
    monkeypatch.setattr(privilege, "join_holder", join)
    return joins


def own_holder(data: Path) -> Holder:
    own = privilege.start_ticks(os.getpid())
    assert own is not None
    holder = Holder(pid=os.getpid(), start_ticks=own)
    (data / "lab").mkdir()
    (data / "lab" / "holder.json").write_bytes(msgspec.json.encode(holder))
    return holder


def test_a_holder_that_lives_is_joined(ordinary: list[tuple[Holder, Sequence[str]]], tmp_path: Path) -> None:
    holder = own_holder(tmp_path)
    with pytest.raises(Joined):
        privilege.ensure_privileges(tmp_path, ("gatewatch", "lab", "up"))
    with pytest.raises(Joined):
        privilege.join_if_held(tmp_path)
    assert ordinary == [(holder, ("gatewatch", "lab", "up")), (holder, (sys.executable, *sys.orig_argv[1:]))]


def test_without_a_holder_there_is_nothing_to_join(ordinary: list[object], tmp_path: Path) -> None:
    privilege.join_if_held(tmp_path)
    assert ordinary == []


def test_a_later_process_of_the_same_id_is_not_the_holder(tmp_path: Path) -> None:
    holder = own_holder(tmp_path)
    assert privilege.live_holder(tmp_path) == holder
    older = msgspec.structs.replace(holder, start_ticks=holder.start_ticks - 1)
    (tmp_path / "lab" / "holder.json").write_bytes(msgspec.json.encode(older))
    assert privilege.live_holder(tmp_path) is None
    assert not privilege.stop_holder(tmp_path)


@pytest.mark.usefixtures("ordinary")
def test_a_holder_that_cannot_start_says_which_call_was_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "forwarder" / "lab"
    refusing.mkdir(parents=True)
    for folder in (refusing, refusing.parent):
        (folder / "__init__.py").touch()
    (refusing / "holder.py").write_text("print('unshare(CLONE_NEWUSER): Operation not permitted')\nraise SystemExit(1)")
    monkeypatch.setattr(privilege, "_environment", lambda: {**os.environ, "PYTHONPATH": str(tmp_path)})
    monkeypatch.setattr(privilege, "_forbidding_sysctls", lambda: [("user.max_user_namespaces", "0")])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadEnvironment) as refused:
        privilege.ensure_privileges(tmp_path)
    for part in ("unshare(CLONE_NEWUSER): Operation not permitted", "lacks CAP_SYS_ADMIN",
                 "user.max_user_namespaces is 0, which forbids it", "Run it as root"):
        assert part in str(refused.value)


@pytest.mark.usefixtures("ordinary")
def test_inside_the_holder_it_does_not_start_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(privilege.JOINED, "1")
    with pytest.raises(BadEnvironment, match="CAP_SYS_ADMIN is still missing"):
        privilege.ensure_privileges(tmp_path)


def test_capabilities_without_the_call_are_not_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(flags: int) -> None:
        raise OSError(errno.EPERM, "unshare(CLONE_NEWNET): Operation not permitted")

    monkeypatch.setattr(privilege, "missing_capabilities", lambda: ())
    monkeypatch.setattr(kernel, "unshare", refuse)
    with pytest.raises(BadEnvironment, match=r"unshare\(CLONE_NEWNET\): Operation not permitted.*seccomp"):
        privilege.ensure_privileges(tmp_path)


@pytest.mark.usefixtures("ordinary")
def test_nsenter_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadEnvironment, match="util-linux"):
        privilege.join_holder(Holder(pid=1, start_ticks=1), ("true",))


def test_a_process_that_is_not_there_has_no_start() -> None:
    assert privilege.start_ticks(2**22 + 1) is None


@pytest.mark.network
def test_root_needs_no_holder(privileged: None, tmp_path: Path) -> None:
    privilege.ensure_privileges(tmp_path)
    assert list(tmp_path.iterdir()) == []
