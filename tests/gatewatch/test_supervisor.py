"""The supervisor with real child processes: it starts again what dies, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatewatch.supervisor import RESTART_WAITS_S, ServiceCommand, Supervisor, restart_wait_s

SLEEPER = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *a: exit(3)); print('up', flush=True); time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def command(name: str, program: str) -> ServiceCommand:
    return ServiceCommand(name=name, argv=(sys.executable, "-c", program), environment={"GATEWATCH_TEST": name})


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.01)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path)
    yield one
    one.stop_all(wait_s=0.5)


def is_up(folder: Path, name: str, times: int = 1) -> bool:
    log = folder / f"{name}.log"
    return log.exists() and log.read_text().count("up") >= times


def test_a_service_that_was_killed_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(command("a", SLEEPER))
    wait_for(lambda: is_up(tmp_path, "a"))
    first = supervisor.process_id("a")
    assert supervisor.kill("a") is True
    assert supervisor.kill("a") is False

    def again() -> bool:
        supervisor.poll(time.monotonic())
        return is_up(tmp_path, "a", times=2)

    wait_for(again)
    assert supervisor.process_id("a") != first
    assert supervisor.restarts("a") == 1


def test_stop_asks_first_and_gives_the_exit_status(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(command("a", SLEEPER))
    wait_for(lambda: is_up(tmp_path, "a"))
    assert supervisor.stop("a") == 3
    assert supervisor.names() == []


def test_what_does_not_stop_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(command("a", STUBBORN))
    wait_for(lambda: is_up(tmp_path, "a"))
    assert supervisor.stop("a", wait_s=0.2) == -signal.SIGKILL


def test_what_was_halted_stays_dead(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(command("a", SLEEPER))
    wait_for(lambda: is_up(tmp_path, "a"))
    process_id = supervisor.process_id("a")
    supervisor.halt("a")
    supervisor.poll(time.monotonic() + 60)
    assert supervisor.process_id("a") is None
    with pytest.raises(ProcessLookupError):
        os.kill(process_id or 0, 0)


def test_stop_of_an_unknown_service_is_no_error(supervisor: Supervisor) -> None:
    assert supervisor.stop("nobody") is None


def test_waits_grow_and_are_bounded() -> None:
    waits = [restart_wait_s(deaths) for deaths in range(20)]
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert waits[-1] == RESTART_WAITS_S[-1]


def test_all_can_be_told_before_any_is_waited_for(supervisor: Supervisor, tmp_path: Path) -> None:
    for name in ("a", "b"):
        supervisor.start(command(name, SLEEPER))
    wait_for(lambda: is_up(tmp_path, "a") and is_up(tmp_path, "b"))
    processes = [child.process for child in supervisor._children.values()]
    supervisor.terminate_all()
    assert [process.wait(10) for process in processes if process is not None] == [3, 3]
    supervisor.terminate_all()
    assert supervisor.stop("a") == 3


def test_one_that_cannot_be_started_again_is_tried_until_it_can(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(command("a", SLEEPER))
    supervisor.start(command("b", SLEEPER))
    wait_for(lambda: is_up(tmp_path, "a") and is_up(tmp_path, "b"))
    supervisor.kill("a")
    log = tmp_path / "a.log"
    log.unlink()
    log.mkdir()  # as good as a full disk: the log cannot be opened
    now_s = time.monotonic()
    for turn in range(100):
        supervisor.poll(now_s + turn)
    assert supervisor.restarts("a") == 0
    assert "".join(capsys.readouterr()).count("cannot be started") == 1
    assert supervisor.process_id("b") is not None
    log.rmdir()
    supervisor.poll(now_s + 200)
    wait_for(lambda: is_up(tmp_path, "a"))
    assert supervisor.restarts("a") == 1


def test_a_child_that_says_much_does_not_fill_the_disk(tmp_path: Path) -> None:
    talker = "import signal, time\nprint('up', 'x' * 300_000, flush=True)\ntime.sleep(60)"
    supervisor = Supervisor(tmp_path, log_bytes_max=131_072)
    try:
        supervisor.start(command("a", talker))
        wait_for(lambda: (tmp_path / "a.log").stat().st_size > 300_000)
        supervisor.poll(time.monotonic())
        assert (tmp_path / "a.log").stat().st_size <= 131_072
        assert (tmp_path / "a.log.1").read_bytes().startswith(b"up x")
    finally:
        supervisor.stop_all(wait_s=0.5)
