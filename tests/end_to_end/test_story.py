"""The whole architecture from nothing, by the stock AWS CLI alone, while packets of another endpoint flow; then all of it taken down.

A provider's VPC with an appliance behind a load balancer, and a consumer's VPC whose traffic from the internet goes through an
endpoint, after AWS's tutorial ("Create a Gateway Load Balancer using the AWS CLI").
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forwarder.lab import namespace as named
from forwarder.network_namespace import run_in
from gatewatch.demo.balancer import client, create_balancer, target_states, wait_for_api
from gatewatch.demo.stage import Stage
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from queries.books import chain
from tests.end_to_end.demo_run import LAB_NAME
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(900)]

AWS = Path(sys.executable).with_name("aws")
SERVER_IMAGE, APPLIANCE_IMAGE = "ami-00000000000000001", "ami-00000000000000002"
WAIT_S = 90


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Lab, services, healthy appliances and some traffic."""
    settings = Settings(
        data=str(tmp_path_factory.mktemp("story")), api_port=free_port(), lab_name=LAB_NAME, capture_window_s=5, metrics_period_s=5
    )
    one = Stage(settings, console=False, rate=5)
    try:
        one.open()
        elbv2 = client(settings)
        assert wait_for_api(elbv2, 120)
        balancer = create_balancer(elbv2, one.lab.inventory, [machine.instance_id for machine in one.lab.appliances])
        one.run_until(time.monotonic() + 120, lambda: set(target_states(elbv2, balancer.target_group_arn).values()) == {"healthy"})
        one.start_traffic()
        yield one
    finally:
        one.close()


class Cli:
    """`aws` as a person has it."""

    def __init__(self, stage: Stage, home: Path) -> None:
        self._stage = stage
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{stage.settings.api_port}", "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "5",
        }

    def __call__(self, words: str, query: str = "") -> Any:
        """The answer, or the part of it that `query` (JMESPath) says; the lab is looked after meanwhile."""
        done = self._run(words, query)
        assert done.returncode == 0, f"aws {words}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, words: str) -> str:
        """The code of the error."""
        done = self._run(words, "")
        assert done.returncode != 0, f"aws {words} was not refused"
        found = re.search(r"\((\w[\w.]*)\)", done.stderr)
        return found[1] if found else done.stderr

    def _run(self, words: str, query: str) -> subprocess.CompletedProcess[str]:
        command = [str(AWS), *words.split(), "--output", "json", *(("--query", query) if query else ())]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self._environment)
        self._stage.run_until(time.monotonic() + WAIT_S, lambda: running.poll() is not None, self._stage.caretaker.look)
        said, complained = running.communicate(timeout=10)
        return subprocess.CompletedProcess(command, running.returncode, said, complained)


def wait_for(stage: Stage, condition: Callable[[], bool]) -> None:
    stage.run_until(time.monotonic() + WAIT_S, condition, stage.caretaker.look)
    assert condition()


def status(stage: Stage) -> dict[str, Any]:
    found = read_status(Path(stage.settings.data), "forwarder")
    assert found is not None
    return dict(found)


def denied(stage: Stage, appliance: str) -> int:
    """Packets that it did not let pass."""
    found = read_status(Path(stage.settings.data), f"appliance-{appliance}")
    return int(found["packets"]["denied"]) if found else 0


def http(stage: Stage, address: str, port: int = 80) -> bool:
    """One request from a client of the internet."""
    def ask() -> bool:
        with socket.socket() as asking:
            asking.settimeout(5)
            if asking.connect_ex((address, port)) != 0:
                return False
            asking.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try:
                return asking.recv(1 << 16).startswith(b"HTTP/1.1 200")
            except OSError:
                return False

    return run_in(stage.lab.clients[0].netns, ask)


def test_the_whole_architecture_is_built_used_and_taken_down(stage: Stage, tmp_path: Path) -> None:
    aws, before = Cli(stage, tmp_path), stage.lab.inventory
    pid = status(stage)["pid"]
    # An appliance inspects by the lab's rules as they are when it starts, and those know nothing of this network.
    with stage.lab.rules.open("a", encoding="utf-8") as rules:
        rules.write('\n[[rules]]\nname = "story"\naction = "allow"\nprotocol = "tcp"\ndestination = "10.8.2.0/24"\nports = ["80"]\n')

    provider = aws("ec2 create-vpc --cidr-block 10.9.0.0/16", "Vpc.VpcId")
    inner = aws(f"ec2 create-subnet --vpc-id {provider} --cidr-block 10.9.1.0/24 --availability-zone us-east-1a", "Subnet.SubnetId")
    appliance = aws(f"ec2 run-instances --image-id {APPLIANCE_IMAGE} --subnet-id {inner}", "Instances[0].InstanceId")
    balancer = aws(f"elbv2 create-load-balancer --name story --type gateway --subnets {inner}", "LoadBalancers[0].LoadBalancerArn")
    group = aws(
        f"elbv2 create-target-group --name story --protocol GENEVE --port 6081 --vpc-id {provider} --health-check-protocol HTTP"
        " --health-check-port 80 --health-check-path / --health-check-interval-seconds 5 --healthy-threshold-count 2"
        " --health-check-timeout-seconds 2",
        "TargetGroups[0].TargetGroupArn")
    aws(f"elbv2 register-targets --target-group-arn {group} --targets Id={appliance}")
    aws(f"elbv2 create-listener --load-balancer-arn {balancer} --default-actions Type=forward,TargetGroupArn={group}")
    service = aws(
        f"ec2 create-vpc-endpoint-service-configuration --gateway-load-balancer-arns {balancer} --no-acceptance-required",
        "ServiceConfiguration")

    consumer = aws("ec2 create-vpc --cidr-block 10.8.0.0/16", "Vpc.VpcId")
    door = aws(f"ec2 create-subnet --vpc-id {consumer} --cidr-block 10.8.1.0/24 --availability-zone us-east-1a", "Subnet.SubnetId")
    application = aws(f"ec2 create-subnet --vpc-id {consumer} --cidr-block 10.8.2.0/24 --availability-zone us-east-1a", "Subnet.SubnetId")
    gateway = aws("ec2 create-internet-gateway", "InternetGateway.InternetGatewayId")
    aws(f"ec2 attach-internet-gateway --internet-gateway-id {gateway} --vpc-id {consumer}")
    server = aws(f"ec2 run-instances --image-id {SERVER_IMAGE} --subnet-id {application} --private-ip-address 10.8.2.80",
                 "Instances[0].InstanceId")
    endpoint = aws(
        f"ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --vpc-id {consumer} --subnet-ids {door}"
        f" --service-name {service['ServiceName']}", "VpcEndpoint.VpcEndpointId")
    names = ("edge", "door", "application")
    tables = {name: aws(f"ec2 create-route-table --vpc-id {consumer}", "RouteTable.RouteTableId") for name in names}
    associations = [
        aws(f"ec2 associate-route-table --route-table-id {tables['edge']} --gateway-id {gateway}", "AssociationId"),
        aws(f"ec2 associate-route-table --route-table-id {tables['door']} --subnet-id {door}", "AssociationId"),
        aws(f"ec2 associate-route-table --route-table-id {tables['application']} --subnet-id {application}", "AssociationId"),
    ]
    aws(f"ec2 create-route --route-table-id {tables['edge']} --destination-cidr-block 10.8.2.0/24 --vpc-endpoint-id {endpoint}")
    aws(f"ec2 create-route --route-table-id {tables['door']} --destination-cidr-block 0.0.0.0/0 --gateway-id {gateway}")
    aws(f"ec2 create-route --route-table-id {tables['application']} --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id {endpoint}")

    aws(f"elbv2 wait load-balancer-available --load-balancer-arns {balancer}")
    wait_for(stage, lambda: set(target_states(client(stage.settings), group).values()) == {"healthy"})
    assert aws(f"ec2 describe-vpc-endpoints --vpc-endpoint-ids {endpoint}", "VpcEndpoints[0].State") == "available"
    wait_for(stage, lambda: http(stage, "10.8.2.80"))
    assert not http(stage, "10.8.2.80", port=22), "a port that the rules do not allow"
    wait_for(stage, lambda: denied(stage, appliance) > 0)
    wait_for(stage, lambda: status(stage)["packets"]["delivered"] > 0 and any(
        each["id"] == endpoint and each["delivered"] >= 8 for each in status(stage)["endpoints"]))

    assert aws.refused(f"ec2 delete-vpc --vpc-id {consumer}") == "DependencyViolation"
    assert aws.refused(f"ec2 delete-subnet --subnet-id {application}") == "DependencyViolation"
    assert aws.refused(f"elbv2 delete-load-balancer --load-balancer-arn {balancer}") == "ResourceInUse"
    assert aws(
        f"ec2 delete-vpc-endpoint-service-configurations --service-ids {service['ServiceId']}", "Unsuccessful[0].Error.Code"
    ) == "ExistingVpcEndpointConnections"

    assert aws(f"ec2 delete-vpc-endpoints --vpc-endpoint-ids {endpoint}", "Unsuccessful") == []
    aws(f"ec2 delete-vpc-endpoint-service-configurations --service-ids {service['ServiceId']}")
    aws(f"elbv2 delete-load-balancer --load-balancer-arn {balancer}")
    aws(f"elbv2 delete-target-group --target-group-arn {group}")
    aws(f"ec2 terminate-instances --instance-ids {appliance} {server}")
    for association in associations:
        aws(f"ec2 disassociate-route-table --association-id {association}")
    for table in tables.values():
        aws(f"ec2 delete-route-table --route-table-id {table}")
    aws(f"ec2 detach-internet-gateway --internet-gateway-id {gateway} --vpc-id {consumer}")
    aws(f"ec2 delete-internet-gateway --internet-gateway-id {gateway}")
    wait_for(stage, lambda: not aws("ec2 describe-network-interfaces", f"NetworkInterfaces[?VpcId=='{consumer}' || VpcId=='{provider}']"))
    for subnet in (inner, door, application):
        aws(f"ec2 delete-subnet --subnet-id {subnet}")
    for vpc in (consumer, provider):
        aws(f"ec2 delete-vpc --vpc-id {vpc}")

    wait_for(stage, lambda: stage.lab.inventory == before)
    assert not [name for name in (consumer, provider, appliance, server) if named.exists(f"{LAB_NAME}-{name}")]
    assert status(stage)["pid"] == pid, "the forwarder was never started again"
    wait_for(stage, lambda: chain(Path(stage.settings.data)).balanced)
