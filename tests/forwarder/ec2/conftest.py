"""An API over the network that the lab begins with, and what endpoints need in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from forwarder.lab import topology
from forwarder.lab.names import aws_id

VPC, SUBNET = aws_id("gw", "vpc", "consumer"), aws_id("gw", "subnet", "application")


@pytest.fixture
def lab_api(api: Any) -> Any:
    """The API, its network the lab's."""
    api.import_network(topology.network("gw"))
    return api


@dataclass(frozen=True, kw_only=True)
class Served:
    """A load balancer in the provider's VPC, and a service for it that nobody is asked about."""

    api: Any
    balancer: str
    service: str
    name: str

    def endpoint(self, **more: Any) -> dict[str, Any]:
        """A new endpoint."""
        asked = {"VpcEndpointType": "GatewayLoadBalancer", "VpcId": VPC, "SubnetIds": [SUBNET], "ServiceName": self.name}
        return dict(self.api.call("ec2", "CreateVpcEndpoint", **asked | more)["VpcEndpoint"])

    def endpoints(self, **more: Any) -> list[dict[str, Any]]:
        """Those that were made for a service."""
        found = self.api.call("ec2", "DescribeVpcEndpoints", **more)["VpcEndpoints"]
        return [endpoint for endpoint in found if "ServiceName" in endpoint]


@pytest.fixture
def served(lab_api: Any) -> Served:
    """A service without acceptance."""
    subnets = [subnet.id for subnet in lab_api.inventory.subnets if subnet.vpc_id == aws_id("gw", "vpc", "provider")]
    balancer = lab_api.load_balancer("gw", tuple(subnets))
    made = lab_api.call(
        "ec2", "CreateVpcEndpointServiceConfiguration", GatewayLoadBalancerArns=[balancer], AcceptanceRequired=False
    )["ServiceConfiguration"]
    return Served(api=lab_api, balancer=balancer, service=made["ServiceId"], name=made["ServiceName"])
