"""The lab goes up and down and leaves nothing, whatever happened before; a packet follows the route tables."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from forwarder.inventory import read_inventory
from forwarder.lab import build, topology
from forwarder.lab import lab as door
from forwarder.lab.clients import Pinger
from forwarder.lab.lab import Lab, NoLab, Removed
from forwarder.lab.namespace_loop import NamespaceLoop
from forwarder.lab.privilege import BadEnvironment
from forwarder.network_namespace import NETNS_FOLDER, run_in

NOBODY = 65_534


def namespaces(name: str) -> set[str]:
    return {path.name for path in NETNS_FOLDER.glob(f"{name}-*")} if NETNS_FOLDER.exists() else set()


def mounts() -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines() if "/run/netns" in line]


def host_devices() -> set[str]:
    with IPRoute() as netlink:
        return {link.get_attr("IFLA_IFNAME") for link in netlink.get_links()}


@pytest.fixture
def name(privileged: None) -> Iterator[str]:
    """A lab name of this test, and nothing left of it afterwards."""
    made = f"u{os.getpid()}"
    yield made
    left = namespaces(made)
    build.remove(tuple(left))
    assert not left


@pytest.mark.network
def test_up_and_down_leaves_nothing(name: str, tmp_path: Path) -> None:
    devices, mounted = host_devices(), [line for line in mounts() if name in line]
    lab = Lab.up(tmp_path, name=name)
    assert namespaces(name) == {entry.name for entry in lab.plan.namespaces}
    assert host_devices() == devices, "nothing is left in the host's namespace"
    assert read_inventory(tmp_path / "inventory.toml") == lab.inventory
    assert lab.rules.exists()
    assert Lab.read(tmp_path) == lab
    assert Lab.down(tmp_path) == Removed(namespaces=12, holder=False)
    assert [line for line in mounts() if name in line] == mounted
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["lock", "rules.toml"]
    assert Lab.down(tmp_path) == Removed(namespaces=0, holder=False)
    with pytest.raises(NoLab, match="gatewatch lab up"):
        Lab.read(tmp_path)


@pytest.mark.network
def test_up_cleans_what_is_there_first(name: str, tmp_path: Path) -> None:
    Lab.up(tmp_path, name=name)
    first = {entry: (NETNS_FOLDER / entry).stat().st_ino for entry in namespaces(name)}
    lab = Lab.up(tmp_path, name=name)
    second = {entry: (NETNS_FOLDER / entry).stat().st_ino for entry in namespaces(name)}
    assert set(first) == set(second)
    assert not set(first.values()) & set(second.values()) or first != second
    assert Lab.down(tmp_path).namespaces == len(lab.plan.namespaces)


@pytest.mark.network
@pytest.mark.parametrize("links", [0, 3, 11])
def test_what_a_kill_left_half_made_is_removed(name: str, tmp_path: Path, repository: Path, links: int) -> None:
    program = f"""
import os, signal
from pathlib import Path
from forwarder.lab import build
from forwarder.lab.lab import Lab
make, made = build.make_link, []
def make_or_die(link):
    if len(made) == {links}:
        os.kill(os.getpid(), signal.SIGKILL)
    made.append(make(link))
build.make_link = make_or_die
Lab.up(Path({str(tmp_path)!r}), name={name!r})
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=repository, check=False).returncode == -signal.SIGKILL
    assert len(namespaces(name)) == 12
    with pytest.raises(NoLab):
        Lab.read(tmp_path)
    Lab.up(tmp_path, name=name)
    assert Lab.down(tmp_path).namespaces == 12


@pytest.mark.network
def test_a_failure_half_way_leaves_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("no more links")

    monkeypatch.setattr(build, "make_link", refuse)
    with pytest.raises(BadEnvironment, match="no more links"):
        Lab.up(tmp_path, name=name)
    assert not namespaces(name)
    assert not (tmp_path / "lab" / "lab.json").exists()


@pytest.mark.network
def test_another_folders_lab_is_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    Lab.up(tmp_path / "one", name=name)
    with pytest.raises(BadEnvironment, match=f"gatewatch lab down --name {name}"):
        Lab.up(tmp_path / "other", name=name)
    assert len(namespaces(name)) == 12
    assert Lab.down(tmp_path / "other").namespaces == 0
    assert len(namespaces(name)) == 12
    shutil.rmtree(tmp_path / "one")
    assert Lab.down(tmp_path / "other", name=name).namespaces == 12


@pytest.mark.network
def test_a_changed_inventory_and_changed_rules_stay(name: str, tmp_path: Path) -> None:
    lab = Lab.up(tmp_path, name=name)
    lab.rules.write_text('default = "deny"\n', encoding="utf-8")
    with (tmp_path / "inventory.toml").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    Lab.down(tmp_path)
    assert (tmp_path / "inventory.toml").read_text(encoding="utf-8").endswith("# mine\n")
    Lab.up(tmp_path, name=name)
    Lab.down(tmp_path)
    assert lab.rules.read_text(encoding="utf-8") == 'default = "deny"\n'


def test_one_command_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    with (tmp_path / "lab" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BadEnvironment, match="another command"):
            Lab.down(tmp_path)


def test_a_record_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "lab.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadEnvironment, match="cannot be understood"):
        Lab.read(tmp_path)


def test_a_lab_made_by_root_is_not_an_ordinary_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    record = door.Record(state="up", held=False, made_netns_folder=False, plan=topology.plan())
    door._write_record(tmp_path, record)
    monkeypatch.setenv("GATEWATCH_LAB_HOLDER", "1")
    with pytest.raises(BadEnvironment, match="as root"):
        Lab.down(tmp_path)


@pytest.mark.network
def test_a_packet_follows_the_tables_to_the_endpoint_and_back(lab: Lab, gateway: Any) -> None:
    """Without an appliance the packet stops at the endpoint; put back there it reaches the server, and so does the answer."""
    client, server = lab.clients[0], lab.servers[1]
    replies: list[bool] = []
    done = threading.Event()

    async def ping() -> None:
        pinger = Pinger()
        try:
            async with asyncio.timeout(30 if gateway.put_back else 0.3):
                await pinger.ping(server.address, 56)
            replies.append(True)
        except TimeoutError:
            replies.append(False)
        pinger.close()
        done.set()

    loop = NamespaceLoop(client.netns, ping, name="ping")
    loop.start()
    assert done.wait(60)
    loop.stop()
    assert replies == [False], "nobody answers in the endpoint's place"
    while not gateway.offered:
        select.select([], [], [], 0.02)
    request = gateway.offered[0]
    assert (request[12:16], request[16:20]) == (bytes([203, 0, 113, 11]), bytes([10, 0, 2, 12]))
    gateway.put_back = True
    done.clear()
    loop = NamespaceLoop(client.netns, ping, name="ping")
    loop.start()
    assert done.wait(60)
    loop.stop()
    assert replies == [False, True]
    assert [packet[16:20] for packet in gateway.offered[1:]] == [bytes([10, 0, 2, 12]), bytes([203, 0, 113, 11])]


@pytest.mark.network
def test_servers_of_one_vpc_reach_each_other_without_inspection(lab: Lab, gateway: Any) -> None:
    def connect() -> int:
        with socket.socket() as channel:
            channel.settimeout(30)
            return channel.connect_ex((lab.servers[1].address, 9))

    assert run_in(lab.servers[0].netns, connect) == 111, "refused by the other server itself"
    assert gateway.offered == []


def unprivileged_python(repository: Path) -> list[str] | str:
    """A command that runs Python as nobody with the project importable, or why there is none."""
    if os.geteuid() != 0:
        return [sys.executable]
    if shutil.which("setpriv") is None:
        return "setpriv is missing"
    site = next(path for path in sys.path if path.endswith("site-packages"))
    for python in (sys.executable, "/usr/bin/python3"):
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "HOME=/tmp",
                   "PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={repository}:{site}", python]
        tried = subprocess.run([*command, "-c", "import forwarder.lab.lab"], capture_output=True, check=False, cwd="/")
        if tried.returncode == 0:
            return command
    return "no Python that nobody may run can import the project"


@pytest.mark.network
def test_an_ordinary_users_lab_outlives_its_command(repository: Path) -> None:
    python = unprivileged_python(repository)
    if isinstance(python, str):
        pytest.skip(python)
    data = Path(tempfile.mkdtemp(prefix="gatewatch-test-"))
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    name = f"v{os.getpid()}"
    program = data / "act.py"
    program.write_text(f"""
import sys
from pathlib import Path
from forwarder.network_namespace import run_in
from forwarder.lab.lab import Lab
from forwarder.lab.privilege import BadEnvironment, ensure_privileges, join_if_held
data = Path({str(data)!r})
try:
    if sys.argv[1] == "up":
        ensure_privileges(data)
        print(len(Lab.up(data, name={name!r}).plan.namespaces))
    elif sys.argv[1] == "look":
        ensure_privileges(data)
        lab = Lab.read(data)
        print(run_in(lab.clients[0].netns, lambda: open("/proc/thread-self/net/dev").read().count("eth0:")))
    else:
        join_if_held(data)
        print(Lab.down(data))
except BadEnvironment as error:
    print("BadEnvironment", error)
""", encoding="utf-8")

    def act(word: str) -> str:
        done = subprocess.run([*python, str(program), word], capture_output=True, text=True, check=False, cwd="/", timeout=200)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    try:
        answer = act("up")
        if answer.startswith("BadEnvironment"):
            pytest.skip(answer)
        assert answer == "12"
        assert act("look") == "1"
        assert not namespaces(name), "the host sees nothing of it"
        assert act("up") == "12"
        assert act("down") == "Removed(namespaces=12, holder=True)"
        assert act("down") == "Removed(namespaces=0, holder=False)"
        assert sorted(path.name for path in (data / "lab").iterdir()) == ["lock", "rules.toml"]
    finally:
        act("down")
        shutil.rmtree(data)
