"""Runs the services as child processes: restarts what dies, stops all in order, leaves none behind.

A child that keeps dying, or cannot be started again, is tried after a growing wait (`RESTART_WAITS_S`).  Each child has
a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops them in the reverse order of their
start; a child of a supervisor that was killed is told by the kernel (PR_SET_PDEATHSIG).  The kernel means the parent
*thread* by that: start and poll from the main thread only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gatewatch.log_file import shorten
from gatewatch.repeated_error import RepeatedError

RESTART_WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
#: A child that lived this long is counted as well again.
STEADY_S = 30.0
STOP_WAIT_S = 15.0
#: How often the sizes of the log files are looked at.
LOG_LOOK_S = 1.0

_PR_SET_PDEATHSIG = 1
# Looked up here: between fork and exec nothing may be that takes a lock another thread could have held.
_prctl = ctypes.CDLL(None).prctl
_log = structlog.get_logger("supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCommand:
    """What to run: a name for messages and the log file, the command, and what is added to the environment."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def restart_wait_s(deaths: int) -> float:
    """How long to wait before a child is started again that died `deaths` times in short order."""
    return RESTART_WAITS_S[min(deaths, len(RESTART_WAITS_S)) - 1] if deaths else 0.0


@dataclass(slots=True, kw_only=True)
class _Child:
    command: ServiceCommand
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    deaths: int = 0
    restarts: int = 0
    due_s: float | None = None


class Supervisor:
    """The children by name.  `start` adds one, `watch` keeps them running, `stop_all` ends them."""

    def __init__(self, log_folder: Path, *, log_bytes_max: int = 16 << 20) -> None:
        """Nothing runs yet; what the children print goes to `<log_folder>/<name>.log`, kept below `log_bytes_max`."""
        self._log_folder = log_folder
        self._log_bytes_max = log_bytes_max
        self._log_look_due_s = 0.0
        self._repeated = RepeatedError(_log)
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()

    def start(self, command: ServiceCommand) -> None:
        """Start a service and keep it running from now on."""
        with self._lock:
            child = self._children[command.name] = _Child(command=command)
            self._spawn(child)

    def poll(self, now_s: float) -> None:
        """Start again what died and has waited long enough, shorten logs that are too long.  `now_s` is monotonic."""
        with self._lock:
            for child in self._children.values():
                self._poll_child(child, now_s)
            if now_s >= self._log_look_due_s:
                self._log_look_due_s = now_s + LOG_LOOK_S
                for name in self._children:
                    self._shorten_log(name)

    def watch(self, stop: threading.Event, interval_s: float = 0.1) -> None:
        """Poll until `stop` is set."""
        while not stop.wait(interval_s):
            self.poll(time.monotonic())

    def kill(self, name: str) -> bool:
        """SIGKILL a service, as a crash would; it is started again as after any death.  False when it was not running."""
        with self._lock:
            process = self._children[name].process
            if process is None or process.poll() is not None:
                return False
            process.kill()
            process.wait()
        return True

    def stop(self, name: str, wait_s: float = STOP_WAIT_S) -> int | None:
        """SIGTERM a service, wait for its end (SIGKILL after `wait_s`), forget it; its exit status."""
        with self._lock:
            child = self._children.pop(name, None)
        if child is None or child.process is None:
            return None
        return _end(child.process, name, wait_s)

    def halt(self, name: str) -> None:
        """SIGKILL a service and keep it dead until `start` is called for it again."""
        with self._lock:
            child = self._children.pop(name, None)
        if child is not None and child.process is not None:
            child.process.kill()
            child.process.wait()

    def stop_all(self, wait_s: float = STOP_WAIT_S) -> None:
        """Stop every service, the last one started first."""
        for name in reversed(list(self._children)):
            self.stop(name, wait_s)

    def terminate_all(self) -> None:
        """SIGTERM every service without waiting; `stop_all` waits for them.  Do not poll in between."""
        with self._lock:
            for child in self._children.values():
                if child.process is not None and child.process.poll() is None:
                    child.process.terminate()

    def names(self) -> list[str]:
        """The services that are kept running, in order of their start."""
        return list(self._children)

    def restarts(self, name: str) -> int:
        """How often the service was started again."""
        return self._children[name].restarts

    def process_id(self, name: str) -> int | None:
        """The process id of the service while it runs."""
        child = self._children.get(name)
        return child.process.pid if child is not None and child.process is not None else None

    def _log_path(self, name: str) -> Path:
        return self._log_folder / f"{name}.log"

    def _shorten_log(self, name: str) -> None:
        try:
            shorten(self._log_path(name), self._log_bytes_max)
        except OSError:
            self._repeated.exception("a log file cannot be shortened", log=str(self._log_path(name)))

    def _spawn(self, child: _Child) -> None:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        with self._log_path(child.command.name).open("ab") as log:
            child.process = subprocess.Popen(
                child.command.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **child.command.environment},
                preexec_fn=_die_with_parent,
            )
        child.started_s = time.monotonic()
        child.due_s = None

    def _poll_child(self, child: _Child, now_s: float) -> None:
        if child.due_s is None and child.process is not None and child.process.poll() is not None:
            child.deaths = 1 if now_s - child.started_s > STEADY_S else child.deaths + 1
            child.due_s = now_s + restart_wait_s(child.deaths)
            _log.warning(
                "service ended, starts again",
                service=child.command.name,
                status=child.process.returncode,
                wait_s=restart_wait_s(child.deaths),
                log=str(self._log_path(child.command.name)),
            )
        if child.due_s is not None and now_s >= child.due_s:
            self._spawn_again(child, now_s)

    def _spawn_again(self, child: _Child, now_s: float) -> None:
        """What stands in the way (no memory, a full disk) may pass; the other children must not end for it."""
        try:
            self._spawn(child)
        except (OSError, subprocess.SubprocessError):
            child.deaths += 1
            child.due_s = now_s + restart_wait_s(child.deaths)
            self._repeated.exception("service cannot be started, is tried again", service=child.command.name)
        else:
            child.restarts += 1


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes], name: str, wait_s: float) -> int:
    process.terminate()
    try:
        return process.wait(wait_s)
    except subprocess.TimeoutExpired:
        _log.error("service did not stop, killed", service=name, wait_s=wait_s)
        process.kill()
        return process.wait()
