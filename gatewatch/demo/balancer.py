"""Creates the demo's load balancer the way a user would: through the AWS API, with AWS's own client library."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from forwarder.inventory import Inventory
from gatewatch.refusal import Refusal
from gatewatch.settings import Settings

LOAD_BALANCER_NAME = "inspection"
TARGET_GROUP_NAME = "firewalls"


# (key in the file, environment variable, default, conversion) of botocore's variables: the user's files and profile,
# which may name a profile that is not there, have no say in how a service of this machine is reached.
_NOBODYS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class NoAnswer(Refusal, RuntimeError):
    """The API did not answer, or answered with an error; the message is the client library's."""


class ForeignBalancer(Refusal, RuntimeError):
    """The API has load balancers, but none of this network; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """What was created."""

    load_balancer_arn: str
    target_group_arn: str
    listener_arn: str


def client(settings: Settings, service: str = "elbv2") -> Any:
    """A client of this gatewatch's own API, whatever profile, AWS settings or proxy the user has."""
    session = botocore.session.Session(session_vars=_NOBODYS)
    session.set_credentials("AKIAGATEWATCHDEMO", "demo")
    host = "127.0.0.1" if settings.api_host == "0.0.0.0" else settings.api_host
    return session.create_client(
        service, region_name=settings.region, endpoint_url=f"http://{host}:{settings.api_port}",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10, proxies={}),
    )


def create_balancer(elbv2: Any, inventory: Inventory, target_ids: list[str]) -> Balancer:
    """Load balancer over every subnet with a node, target group with quick health checks, targets, listener.

    Cross-zone is switched on, so that the appliances of both zones share the traffic of the one endpoint.  `NoAnswer`
    when the API does not do it.
    """
    with _answered("the load balancer was not created"):
        return _create(elbv2, inventory, target_ids)


def _create(elbv2: Any, inventory: Inventory, target_ids: list[str]) -> Balancer:
    subnet_ids = [node.subnet_id for node in inventory.nodes]
    vpc_id = next(subnet.vpc_id for subnet in inventory.subnets if subnet.id == subnet_ids[0])
    load_balancer_arn = elbv2.create_load_balancer(Name=LOAD_BALANCER_NAME, Type="gateway", Subnets=subnet_ids)[
        "LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=load_balancer_arn, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    )
    target_group_arn = elbv2.create_target_group(
        Name=TARGET_GROUP_NAME, Protocol="GENEVE", Port=6081, VpcId=vpc_id, HealthCheckProtocol="HTTP",
        HealthCheckPath="/", HealthCheckPort="80", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2, UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=target_group_arn, Targets=[{"Id": target} for target in target_ids])
    listener_arn = elbv2.create_listener(
        LoadBalancerArn=load_balancer_arn, DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group_arn}]
    )["Listeners"][0]["ListenerArn"]
    return Balancer(load_balancer_arn=load_balancer_arn, target_group_arn=target_group_arn, listener_arn=listener_arn)


def is_balancer_missing(elbv2: Any, inventory: Inventory) -> bool:
    """Whether no load balancer of this network has a listener, so that `create_balancer` has something to do.

    `ForeignBalancer` when there are load balancers and all are of another network; `NoAnswer` when the API does not
    tell.
    """
    vpc_ids = {subnet.vpc_id for node in inventory.nodes if (subnet := inventory.subnet(node.subnet_id)) is not None}
    with _answered("it is not known whether there is a load balancer"):
        found = elbv2.describe_load_balancers()["LoadBalancers"]
        own = [balancer["LoadBalancerArn"] for balancer in found if balancer["VpcId"] in vpc_ids]
        if found and not own:
            names = ", ".join(f"{balancer['LoadBalancerName']} in {balancer['VpcId']}" for balancer in found)
            raise ForeignBalancer(
                f"the load balancers there are of another network ({names}), so nothing would be forwarded here; delete "
                "them through the API, or choose another folder with --data"
            )
        return not any(elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] for arn in own)


def target_states(elbv2: Any, target_group_arn: str) -> dict[str, str]:
    """The state of each target, by its id; `NoAnswer` when the API does not tell, as while it is started again."""
    with _answered("the targets' health is not known"):
        answer = elbv2.describe_target_health(TargetGroupArn=target_group_arn)
        return {entry["Target"]["Id"]: entry["TargetHealth"]["State"] for entry in answer["TargetHealthDescriptions"]}


@contextmanager
def _answered(otherwise: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:  # KeyError: an answer without what it must have
        raise NoAnswer(f"{otherwise}: {error}") from error


def wait_for_api(elbv2: Any, timeout_s: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Wait until the API answers; False when it did not in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            elbv2.describe_load_balancers()
        except (BotoCoreError, ClientError, ResponseParserError):
            pause(0.1)
        else:
            return True
    return False
