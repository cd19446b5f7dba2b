"""A gateway load balancer by the stock AWS CLI: the commands of AWS's own examples, their counterparts, and restarts.

The API runs as its own process, started by `gatewatch api`; every command is a real `aws`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "tests" / "fixtures" / "control" / "inventory.toml"
AWS = Path(sys.executable).with_name("aws")
CONSUMER_VPC, ENDPOINT = "vpc-0bb22bb22bb22bb22", "vpce-0b000000000000001"

# An `aws` takes a second and a half of a quiet machine's processor to start; a test runs up to twenty.
pytestmark = [
    pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed beside this Python"), pytest.mark.timeout(600),
]

SUBNET = "subnet-0a000000000000001"
VPC = "vpc-0aa11aa11aa11aa11"
INSTANCE = "i-0a000000000000001"


class Refused(Exception):
    """The command ended with an error."""


class Gateway:
    """An API process on a data folder, and the AWS CLI pointed at it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        began_s = time.monotonic()
        with (self.data / "api.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gatewatch", "api", "--data", str(self.data), "--api-port", str(self.port)],
                cwd=ROOT, stdout=log, stderr=log,
            )
        while not self._healthy():
            assert self._process.poll() is None, (self.data / "api.log").read_text(encoding="utf-8")
            assert time.monotonic() - began_s < 90, (self.data / "api.log").read_text(encoding="utf-8")
            time.sleep(0.02)

    def end(self, number: int) -> int:
        """Send a signal and wait; the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(60)
        self._process = None
        return status

    def close(self) -> None:
        """Stop what still runs."""
        if self._process is not None:
            self.end(signal.SIGTERM)

    def aws(self, *arguments: str) -> Any:
        """What the command printed, read as JSON (None if nothing); `Refused` with its error text if it failed."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.data), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1",
        }
        done = subprocess.run([AWS, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise Refused(done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def records(self) -> list[dict[str, Any]]:
        """The audit records on the bus."""
        connection = sqlite3.connect(self.data / "spool" / "api.sqlite")
        rows = connection.execute("SELECT value FROM messages WHERE topic = 'gatewatch.audit' ORDER BY seq").fetchall()
        connection.close()
        return [json.loads(line) for (value,) in rows for line in bytes(value).split(b"\n")]

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """An API that runs, with two zones of appliances and nothing set up."""
    shutil.copy(INVENTORY, tmp_path / "inventory.toml")
    made = Gateway(tmp_path)
    made.start()
    yield made
    made.close()


def set_up(gateway: Gateway) -> tuple[str, str, str]:
    """AWS's examples up to the listener; the ARNs of load balancer, target group and listener."""
    made = gateway.aws(
        "elbv2", "create-load-balancer", "--name", "my-gateway-load-balancer", "--type", "gateway", "--subnets", SUBNET
    )
    load_balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    made = gateway.aws(
        "elbv2", "create-target-group", "--name", "my-targets", "--protocol", "GENEVE", "--port", "6081",
        "--vpc-id", VPC,
    )
    group = made["TargetGroups"][0]["TargetGroupArn"]
    assert gateway.aws(
        "elbv2", "register-targets", "--target-group-arn", group, "--targets", f"Id={INSTANCE}"
    ) is None
    made = gateway.aws(
        "elbv2", "create-listener", "--load-balancer-arn", load_balancer,
        "--default-actions", f"Type=forward,TargetGroupArn={group}",
    )
    return load_balancer, group, made["Listeners"][0]["ListenerArn"]


def test_the_five_commands_and_their_counterparts(gateway: Gateway) -> None:
    load_balancer, group, listener = set_up(gateway)
    assert gateway.aws("elbv2", "describe-target-health", "--target-group-arn", group) == {
        "TargetHealthDescriptions": [{
            "Target": {"Id": INSTANCE, "Port": 6081}, "HealthCheckPort": "80",
            "TargetHealth": {
                "State": "initial", "Reason": "Elb.RegistrationInProgress",
                "Description": "Target registration is in progress",
            },
        }],
    }
    (shown,) = gateway.aws("elbv2", "describe-load-balancers", "--names", "my-gateway-load-balancer")["LoadBalancers"]
    assert (shown["LoadBalancerArn"], shown["Type"], shown["State"]) == (load_balancer, "gateway", {"Code": "provisioning"})
    assert not {"DNSName", "CanonicalHostedZoneId", "Scheme", "SecurityGroups"} & shown.keys()
    (shown,) = gateway.aws("elbv2", "describe-target-groups", "--load-balancer-arn", load_balancer)["TargetGroups"]
    assert shown["TargetGroupArn"] == group
    (shown,) = gateway.aws("elbv2", "describe-listeners", "--load-balancer-arn", load_balancer)["Listeners"]
    assert shown["ListenerArn"] == listener

    with pytest.raises(Refused, match=r"\(ResourceInUse\) when calling the DeleteTargetGroup operation"):
        gateway.aws("elbv2", "delete-target-group", "--target-group-arn", group)
    gateway.aws("elbv2", "deregister-targets", "--target-group-arn", group, "--targets", f"Id={INSTANCE}")
    (health,) = gateway.aws("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"]
    assert health["TargetHealth"]["State"] == "draining"
    gateway.aws("elbv2", "delete-listener", "--listener-arn", listener)
    gateway.aws("elbv2", "delete-load-balancer", "--load-balancer-arn", load_balancer)
    gateway.aws("elbv2", "delete-target-group", "--target-group-arn", group)
    assert gateway.aws("elbv2", "describe-load-balancers") == {"LoadBalancers": []}
    assert gateway.aws("elbv2", "describe-target-groups") == {"TargetGroups": []}


def test_errors_are_awss(gateway: Gateway) -> None:
    with pytest.raises(Refused, match=(
        r"An error occurred \(SubnetNotFound\) when calling the CreateLoadBalancer operation: "
        r"The subnet ID 'subnet-0f' does not exist"
    )):
        gateway.aws("elbv2", "create-load-balancer", "--name", "gw", "--type", "gateway", "--subnets", "subnet-0f")
    with pytest.raises(Refused, match=r"\(LoadBalancerNotFound\).*Load balancers '\[gw9\]' not found"):
        gateway.aws("elbv2", "describe-load-balancers", "--names", "gw9")
    with pytest.raises(Refused, match=r"\(InvalidAction\).*gatewatch does not serve it"):
        gateway.aws("elbv2", "describe-ssl-policies")
    with pytest.raises(Refused, match=r"\(UnknownOperationException\).*gatewatch does not serve logs"):
        gateway.aws("logs", "describe-log-groups")
    with pytest.raises(Refused, match="MissingAuthenticationToken"):
        gateway.aws("elbv2", "describe-load-balancers", "--no-sign-request")


def test_state_and_audit_events_survive_a_stop_and_a_kill(gateway: Gateway) -> None:
    load_balancer, group, listener = set_up(gateway)
    before = gateway.aws("elbv2", "describe-load-balancers")
    assert gateway.end(signal.SIGTERM) == 0
    gateway.start()
    assert gateway.aws("elbv2", "describe-load-balancers") == before
    gateway.aws("elbv2", "add-tags", "--resource-arns", load_balancer, "--tags", "Key=team,Value=network")
    gateway.end(signal.SIGKILL)
    gateway.start()
    (tags,) = gateway.aws("elbv2", "describe-tags", "--resource-arns", load_balancer)["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "team", "Value": "network"}]
    assert gateway.aws("elbv2", "describe-listeners", "--listener-arns", listener)["Listeners"]
    assert gateway.end(signal.SIGTERM) == 0
    records = gateway.records()
    assert [record["eventName"] for record in records] == [
        "ImportInventory", "CreateLoadBalancer", "CreateTargetGroup", "RegisterTargets", "CreateListener", "DescribeLoadBalancers",
        "DescribeLoadBalancers", "AddTags", "DescribeTags", "DescribeListeners",
    ]
    assert len({record["eventID"] for record in records}) == len(records)
    assert records[3]["requestParameters"] == {"targetGroupArn": group, "targets": [{"id": INSTANCE}]}


def test_other_services_at_the_same_address(gateway: Gateway) -> None:
    assert gateway.aws("sts", "get-caller-identity")["Account"] == "123456789012"
    found = gateway.aws("ec2", "describe-subnets", "--filters", f"Name=vpc-id,Values={VPC}")["Subnets"]
    assert len(found) == 4
    (zone, *_) = gateway.aws("ec2", "describe-availability-zones")["AvailabilityZones"]
    assert zone["ZoneName"] == "us-east-1a"


def test_route_tables(gateway: Gateway) -> None:
    table = gateway.aws("ec2", "create-route-table", "--vpc-id", CONSUMER_VPC)["RouteTable"]["RouteTableId"]
    route = ("--route-table-id", table, "--destination-cidr-block", "0.0.0.0/0")
    assert gateway.aws("ec2", "create-route", *route, "--vpc-endpoint-id", ENDPOINT) == {"Return": True}
    (found,) = gateway.aws("ec2", "describe-route-tables", "--route-table-ids", table)["RouteTables"]
    assert [(each["GatewayId"], each["State"]) for each in found["Routes"]] == [("local", "active"), (ENDPOINT, "active")]
    joined = gateway.aws("ec2", "associate-route-table", "--route-table-id", table, "--subnet-id", "subnet-0b000000000000001")
    gateway.aws("ec2", "disassociate-route-table", "--association-id", joined["AssociationId"])
    gateway.aws("ec2", "delete-route", *route)
    gateway.aws("ec2", "delete-route-table", "--route-table-id", table)
    assert gateway.aws("ec2", "describe-route-tables")["RouteTables"] == []


def test_attributes_as_in_awss_examples(gateway: Gateway) -> None:
    load_balancer, group, listener = set_up(gateway)
    changed = gateway.aws(
        "elbv2", "modify-load-balancer-attributes", "--load-balancer-arn", load_balancer,
        "--attributes", "Key=load_balancing.cross_zone.enabled,Value=true",
    )
    assert {"Key": "load_balancing.cross_zone.enabled", "Value": "true"} in changed["Attributes"]
    changed = gateway.aws(
        "elbv2", "modify-target-group-attributes", "--target-group-arn", group, "--attributes",
        "Key=target_failover.on_deregistration,Value=rebalance", "Key=target_failover.on_unhealthy,Value=rebalance",
    )
    assert {"Key": "target_failover.on_unhealthy", "Value": "rebalance"} in changed["Attributes"]
    gateway.aws(
        "elbv2", "modify-listener-attributes", "--listener-arn", listener,
        "--attributes", "Key=tcp.idle_timeout.seconds,Value=600",
    )
    with pytest.raises(Refused, match="gatewatch cannot send TCP resets"):
        gateway.aws(
            "elbv2", "modify-target-group-attributes", "--target-group-arn", group,
            "--attributes", "Key=send_tcp_reset.on_unhealthy.enabled,Value=true",
        )
