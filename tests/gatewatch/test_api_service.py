"""The service whole, in this process: port, audit relay, status, inventory, and botocore's waiters against it."""

from __future__ import annotations

import errno
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, WaiterError
from botocore.parsers import ResponseParserError

from forwarder.control.store import Observation, Store
from forwarder.desired import TargetState
from gatewatch import api_service as module
from gatewatch.api_service import ApiService, serve
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from tests.ports import free_port

INVENTORY = Path(__file__).parents[1] / "fixtures" / "control" / "inventory.toml"
ONE = "i-0a000000000000001"
QUICK = {"Delay": 0.05, "MaxAttempts": 1000}


def wait_for(condition: Callable[[], Any], timeout_s: float = 60.0) -> None:
    """Wait until `condition` holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass in time"
        time.sleep(0.01)


def healthy(port: int) -> bool:
    """Whether `/health` answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Running:
    """A service that runs, its store, and a client of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store.open(settings.data_path / "state.sqlite")
        self.service = ApiService(settings, self.store)
        self.service.start()
        wait_for(lambda: healthy(settings.api_port))

    def client(self, name: str, **more: Any) -> Any:
        """A boto3 client."""
        return boto3.client(
            name, endpoint_url=f"http://127.0.0.1:{self.settings.api_port}", region_name="us-east-1",
            aws_access_key_id="AKIDTEST", aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 1}, connect_timeout=60, read_timeout=60), **more,
        )

    def stop(self) -> None:
        """Stop and close."""
        self.service.stop()
        self.store.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A service on a free port."""
    shutil.copy(INVENTORY, tmp_path / "inventory.toml")
    made = Running(Settings(data=str(tmp_path), api_port=free_port()))
    yield made
    made.stop()


def records(settings: Settings) -> list[dict[str, Any]]:
    """The audit records in the spool, in order."""
    connection = sqlite3.connect(settings.data_path / "spool" / "api.sqlite")
    rows = connection.execute("SELECT value FROM messages WHERE topic = 'gatewatch.audit' ORDER BY seq").fetchall()
    connection.close()
    return [msgspec.json.decode(line) for (value,) in rows for line in bytes(value).split(b"\n")]


def gateway(elbv2: Any) -> tuple[str, str]:
    """A load balancer that forwards to one target; its ARN and the target group's."""
    made = elbv2.create_load_balancer(Name="gw", Type="gateway", Subnets=["subnet-0a000000000000001"])
    load_balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    made = elbv2.create_target_group(Name="t", Protocol="GENEVE", Port=6081, VpcId="vpc-0aa11aa11aa11aa11")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": ONE}])
    elbv2.create_listener(
        LoadBalancerArn=load_balancer, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )
    return load_balancer, group


def test_waiters(running: Running) -> None:
    elbv2 = running.client("elbv2")
    load_balancer, group = gateway(elbv2)
    healthy_now = Observation(target_group_arn=group, target_id=ONE, state=TargetState.HEALTHY)
    acts = [
        threading.Timer(0.2, running.store.activate, [[load_balancer]]),
        threading.Timer(0.4, running.store.observe, [[healthy_now]]),
    ]
    for act in acts:
        act.start()
    elbv2.get_waiter("load_balancer_exists").wait(Names=["gw"], WaiterConfig=QUICK)
    elbv2.get_waiter("load_balancer_available").wait(Names=["gw"], WaiterConfig=QUICK)
    elbv2.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig=QUICK)
    for act in acts:
        act.join()
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": ONE}])
    with pytest.raises(WaiterError):
        elbv2.get_waiter("target_deregistered").wait(
            TargetGroupArn=group, Targets=[{"Id": ONE}], WaiterConfig={"Delay": 0.01, "MaxAttempts": 2}
        )
    running.store.drop_drained(time.time() + 301)
    elbv2.get_waiter("target_deregistered").wait(TargetGroupArn=group, Targets=[{"Id": ONE}], WaiterConfig=QUICK)
    elbv2.delete_load_balancer(LoadBalancerArn=load_balancer)
    elbv2.get_waiter("load_balancers_deleted").wait(Names=["gw"], WaiterConfig=QUICK)


def test_every_event_reaches_the_bus_once_and_the_books_say_so(running: Running) -> None:
    elbv2 = running.client("elbv2")
    gateway(elbv2)
    with pytest.raises(elbv2.exceptions.LoadBalancerNotFoundException):
        elbv2.describe_load_balancers(Names=["none"])
    running.client("ec2").describe_vpcs()
    wait_for(lambda: len(records(running.settings)) == 7)
    names = [record["eventName"] for record in records(running.settings)]
    assert names == [
        "ImportInventory", "CreateLoadBalancer", "CreateTargetGroup", "RegisterTargets", "CreateListener", "DescribeLoadBalancers",
        "DescribeVpcs",
    ]
    wait_for(lambda: books_of(running)["audit"] == {"written": 7, "moved": 7, "failures": 0, "held": 0})
    books = books_of(running)
    assert books["requests"]["elbv2.CreateListener"] == 1
    assert books["errors"] == {"LoadBalancerNotFound": 1}
    assert (books["bus"][0]["topic"], books["bus"][0]["records"]) == ("gatewatch.audit", 7)


def books_of(running: Running) -> dict[str, Any]:
    """The status file, written now."""
    running.service.tick(time.time())
    status = read_status(running.settings.data_path, "api")
    assert status is not None
    return status


def test_a_network_written_just_before_a_call_is_known_to_it(running: Running) -> None:
    """The lab writes its inventory and creates its load balancer in the same breath; no second look is waited for."""
    path = running.settings.inventory_path
    elbv2 = running.client("elbv2")
    path.write_text(path.read_text().replace("subnet-0a000000000000001", "subnet-0a0000000000000ff"))
    created = elbv2.create_load_balancer(Name="gw", Type="gateway", Subnets=["subnet-0a0000000000000ff"])
    assert created["LoadBalancers"][0]["AvailabilityZones"][0]["SubnetId"] == "subnet-0a0000000000000ff"


def test_a_changed_inventory_is_seen(running: Running) -> None:
    ec2 = running.client("ec2")
    assert len(ec2.describe_vpcs()["Vpcs"]) == 2
    path = running.settings.inventory_path
    more = '\n[[vpcs]]\nid = "vpc-0cc33cc33cc33cc33"\ncidr = "10.3.0.0/16"\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    running.service.tick(time.time())
    assert len(ec2.describe_vpcs()["Vpcs"]) == 3
    path.write_text("[[vpcs]", encoding="utf-8")
    books_of(running)
    assert "is wrong" in books_of(running)["inventory_problem"]
    assert len(ec2.describe_vpcs()["Vpcs"]) == 3


def test_many_callers_at_once(running: Running) -> None:
    failures: list[str] = []

    def call(number: int, elbv2: Any) -> None:
        for turn in range(5):
            made = elbv2.create_target_group(
                Name=f"t{number}-{turn}", Protocol="GENEVE", Port=6081, VpcId="vpc-0aa11aa11aa11aa11"
            )
            if made["TargetGroups"][0]["TargetGroupName"] != f"t{number}-{turn}":
                failures.append(made)

    threads = [threading.Thread(target=call, args=(number, running.client("elbv2"))) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(running.client("elbv2").describe_target_groups()["TargetGroups"]) == 20
    wait_for(lambda: len(records(running.settings)) == 22)


def test_with_credentials_users_are_known_and_strangers_are_not(tmp_path: Path) -> None:
    shutil.copy(INVENTORY, tmp_path / "inventory.toml")
    credentials = tmp_path / "credentials"
    credentials.write_text("[alice]\naws_access_key_id=AKIDTEST\naws_secret_access_key=secret\n", encoding="utf-8")
    running = Running(Settings(data=str(tmp_path), api_port=free_port(), api_credentials=str(credentials)))
    try:
        identity = running.client("sts").get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::123456789012:user/alice"
        credentials.unlink()
        stranger = boto3.client(
            "sts", endpoint_url=f"http://127.0.0.1:{running.settings.api_port}", region_name="us-east-1",
            aws_access_key_id="AKIDTEST", aws_secret_access_key="guessed",
        )
        with pytest.raises(stranger.exceptions.ClientError, match="SignatureDoesNotMatch"):
            stranger.get_caller_identity()
    finally:
        running.stop()
    wait_for(lambda: [record["userIdentity"]["userName"] for record in records(running.settings)] == ["gatewatch", "alice"])


def test_a_port_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        store = Store.open(tmp_path / "state.sqlite")
        service = ApiService(Settings(data=str(tmp_path), api_port=taken.getsockname()[1]), store)
        with pytest.raises(OSError, match="in use"):
            service.start()
        service.close()
        store.close()


def test_killed_at_any_moment_every_answered_call_is_on_the_bus_once(tmp_path: Path) -> None:
    shutil.copy(INVENTORY, tmp_path / "inventory.toml")
    settings = Settings(data=str(tmp_path), api_port=free_port())
    answered: list[str] = []
    for turn in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "gatewatch", "api", "--data", str(tmp_path), "--api-port", str(settings.api_port)],
            cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: healthy(settings.api_port), timeout_s=60)
        # boto3's default session is not for several threads: the clients are made here.
        clients = [single_attempt_client(settings) for _ in range(3)]
        callers = [threading.Thread(target=call_until_it_dies, args=(client, answered)) for client in clients]
        for caller in callers:
            caller.start()
        enough = 40 * (turn + 1)
        wait_for(lambda enough=enough: len(answered) >= enough, timeout_s=60)  # type: ignore[misc]
        process.kill()
        process.wait()
        for caller in callers:
            caller.join()
    running = Running(settings)
    running.stop()
    recorded = [record["requestID"] for record in records(settings)]
    assert len(set(recorded)) == len(recorded)
    assert set(answered) <= set(recorded)
    assert len(recorded) - len(answered) <= 9, "at most one call of each caller was recorded and never answered"


def single_attempt_client(settings: Settings) -> Any:
    """A client that never repeats a call."""
    return boto3.client(
        "elbv2", endpoint_url=f"http://127.0.0.1:{settings.api_port}", region_name="us-east-1",
        aws_access_key_id="AKIDTEST", aws_secret_access_key="secret", config=Config(retries={"total_max_attempts": 1}),
    )


def call_until_it_dies(elbv2: Any, answered: list[str]) -> None:
    """Call on and on; note the request ids of what was answered.

    A kill between an answer's head and its body leaves an empty body, which botocore calls a parser's error.
    """
    with suppress(BotoCoreError, ResponseParserError):
        while True:
            answered.append(elbv2.describe_account_limits()["ResponseMetadata"]["RequestId"])


def test_a_full_disk_keeps_the_status_back_and_not_the_answers(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(module, "write_status", full)
        running.service.attempt_tick(time.time())
        running.service.attempt_tick(time.time())
        assert running.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    running.service.attempt_tick(time.time())
    assert books_of(running)["status_errors"] == 2


def test_an_error_in_the_loop_ends_the_port_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the supervisor sees it and starts the API again."""
    ticks: list[float] = []

    def broken(self: ApiService, now_s: float) -> None:
        ticks.append(now_s)
        if len(ticks) == 1:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(ApiService, "tick", broken)
    monkeypatch.setattr(module, "stop_event", threading.Event)
    settings = Settings(data=str(tmp_path), inventory=str(INVENTORY), api_port=free_port())
    with pytest.raises(RuntimeError, match="a fault of ours"):
        serve(settings)
    assert "api-server" not in {thread.name for thread in threading.enumerate()}
    assert not healthy(settings.api_port)
