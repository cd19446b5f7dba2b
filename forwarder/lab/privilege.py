"""Getting the right to make network namespaces: as root at once, as an ordinary user inside a user namespace.

A user namespace lives as long as a process is in it.  So that `lab up` may end and the lab stay, a **holder**
(`holder.py`) sits in a user and a mount namespace of its own, in the host's network; every command that needs the lab
joins it with nsenter and starts again from its beginning, now with all capabilities over what the lab made.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from forwarder.lab import kernel
from gatewatch.refusal import Refusal

#: Numbers of linux/capability.h.
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}
HOLDER_READY_S = 10.0
JOINED = "GATEWATCH_LAB_HOLDER"

_SYSCTLS_WANTED: dict[str, Callable[[str], bool]] = {
    "user/max_user_namespaces": lambda value: int(value) > 0,
    "user/max_net_namespaces": lambda value: int(value) > 0,
    "user/max_mnt_namespaces": lambda value: int(value) > 0,
    "kernel/unprivileged_userns_clone": lambda value: value == "1",
    "kernel/apparmor_restrict_unprivileged_userns": lambda value: value == "0",
}


class BadEnvironment(Refusal, RuntimeError):
    """This machine does not let the lab be made; the message says which call failed and what would help."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that keeps the namespaces.  `start_ticks` tells it from a later process of the same id."""

    pid: int
    start_ticks: int

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return start_ticks(self.pid) == self.start_ticks


def lab_folder(data: Path) -> Path:
    """Where the lab keeps its records, under the data folder."""
    return data / "lab"


def ensure_privileges(data: Path, argv: Sequence[str] = ()) -> None:
    """Return when this process may make the lab of `data` or work in it; else start it again where it may.

    `argv` is the command to start again (default: this process's own).  `BadEnvironment` when neither is possible.
    Call it first, before anything is opened that a second start would open again.
    """
    missing = missing_capabilities()
    if not missing:
        _check_namespaces()
        return
    if os.environ.get(JOINED):
        raise BadEnvironment(f"inside the lab's user namespace {', '.join(missing)} is still missing")
    holder = live_holder(data) or start_holder(data, missing)
    join_holder(holder, argv or (sys.executable, *sys.orig_argv[1:]))


def join_if_held(data: Path, argv: Sequence[str] = ()) -> None:
    """For commands that look or clean up: start again inside the lab's holder if one lives, else just return."""
    holder = live_holder(data)
    if holder is not None and not os.environ.get(JOINED):
        join_holder(holder, argv or (sys.executable, *sys.orig_argv[1:]))


def missing_capabilities() -> tuple[str, ...]:
    """The capabilities the lab needs that this process lacks."""
    held = int(_status_field("CapEff"), 16)
    return tuple(name for name, number in CAPABILITIES.items() if not held >> number & 1)


def live_holder(data: Path) -> Holder | None:
    """The holder of the lab of `data` if it still runs."""
    try:
        holder = msgspec.json.decode((lab_folder(data) / "holder.json").read_bytes(), type=Holder)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return holder if holder.alive else None


def start_holder(data: Path, missing: Sequence[str] = ()) -> Holder:
    """Start a holder and wait until its namespaces are there; `BadEnvironment` with what the kernel refused."""
    lab_folder(data).mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "forwarder.lab.holder", str(lab_folder(data).resolve())], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, start_new_session=True, text=True, env=_environment(),
    )
    assert process.stdout is not None
    watch = threading.Timer(HOLDER_READY_S, process.kill)
    watch.start()
    answer = process.stdout.readline().strip()
    watch.cancel()
    process.stdout.close()
    holder = live_holder(data)
    if answer != "ready" or holder is None:
        process.wait()
        raise BadEnvironment(_explanation(answer or "the holder of the namespaces ended before it was ready", missing))
    process.returncode = 0  # it is meant to outlive this process: nobody waits for it
    return holder


def join_holder(holder: Holder, argv: Sequence[str]) -> NoReturn:
    """Become `argv` inside the holder's namespaces."""
    program = shutil.which("nsenter")
    if program is None:
        raise BadEnvironment("the program nsenter is missing; it is in the package util-linux")
    namespaces = ("--user", "--mount", "--preserve-credentials", f"--wd={Path.cwd()}", "--target", str(holder.pid))
    os.execve(program, [program, *namespaces, "--", *argv], _environment() | {JOINED: str(holder.pid)})


def stop_holder(data: Path) -> bool:
    """End the holder; its namespaces go once nothing runs in them.  False when there was none."""
    holder = live_holder(data)
    if holder is not None:
        os.kill(holder.pid, signal.SIGTERM)
    (lab_folder(data) / "holder.json").unlink(missing_ok=True)
    return holder is not None


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc(5), stat field 22); None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _check_namespaces() -> None:
    """Capabilities may be there and the call still be forbidden (seccomp, a limit of 0): try it, in a thread."""
    errors: list[OSError] = []

    def body() -> None:
        try:
            kernel.unshare(kernel.CLONE_NEWNET)
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=body, name="try-netns")
    thread.start()
    thread.join()
    if errors:
        raise BadEnvironment(_explanation(errors[0].strerror or str(errors[0]), ()))


def _explanation(failure: str, missing: Sequence[str]) -> str:
    lines = [f"the lab cannot be made here: {failure}."]
    if missing:
        lines.append(f"This process lacks {', '.join(missing)}, so a user namespace would be needed.")
    lines += [f"{name} is {value}, which forbids it." for name, value in _forbidding_sysctls()]
    lines.append("Run it as root, or in a container with CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW, "
                 "whose seccomp and AppArmor profiles allow unshare and mount.")
    return " ".join(lines)


def _forbidding_sysctls() -> list[tuple[str, str]]:
    found = []
    for name, allows in _SYSCTLS_WANTED.items():
        try:
            value = (Path("/proc/sys") / name).read_text(encoding="ascii").strip()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EACCES):
                continue
            raise
        if not allows(value):
            found.append((name.replace("/", "."), value))
    return found


def _status_field(name: str) -> str:
    # The calling thread's own: capabilities belong to threads.
    lines = Path("/proc/thread-self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(name + ":"))


def _environment() -> dict[str, str]:
    """The environment, with this source tree importable wherever the new process starts."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *(path for path in paths if path != root)])}
