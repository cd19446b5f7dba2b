"""The network that the lab begins with: pure data, the same for the same name.

A consumer VPC is inspected on its way in and out, after AWS's routing pattern for Gateway Load Balancer endpoints
(user guide, "Configure routing"): the internet gateway's table sends the application subnet's block to the endpoint,
the application subnet's table sends everything to the endpoint, the endpoint subnet's table knows `local` and the
internet gateway.  A provider VPC has the balancer and the appliances.

It is imported into the state store like anybody's; how such a network is made of namespaces is told in `wiring.py`.
"""

from __future__ import annotations

from forwarder.inventory import (
    Endpoint,
    Instance,
    InternetGateway,
    Inventory,
    Node,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    Zone,
)
from forwarder.lab.attachment import NODE_NAMESPACE
from forwarder.lab.names import aws_id, mac_address
from forwarder.lab.plan import Plan
from forwarder.lab.wiring import APPLIANCE, SERVER, wire

DEFAULT_NAME = "gw"

#: What the hosts of the consumer VPC and the internet send: all that a Gateway Load Balancer carries.
HOST_MTU_BYTES = 8500

CONSUMER_BLOCK = "10.0.0.0/16"
ENDPOINT_BLOCK = "10.0.1.0/24"
APPLICATION_BLOCK = "10.0.2.0/24"
PROVIDER_BLOCK = "10.1.0.0/16"
ANYWHERE = "0.0.0.0/0"

ZONE_A = Zone(name="us-east-1a", id="use1-az1")
ZONE_B = Zone(name="us-east-1b", id="use1-az2")

#: Name, VPC, block and zone.
SUBNETS = (
    ("endpoint", "consumer", ENDPOINT_BLOCK, ZONE_A),
    ("application", "consumer", APPLICATION_BLOCK, ZONE_A),
    ("provider-a", "provider", "10.1.1.0/24", ZONE_A),
    ("provider-b", "provider", "10.1.2.0/24", ZONE_B),
)

ENDPOINT_ADDRESS = "10.0.1.10"
ENDPOINT_DEVICE = "vpce0"
SERVER_ADDRESSES = ("10.0.2.11", "10.0.2.12")
#: Subnet, device and address of the balancer's interfaces.
NODES = (("provider-a", "zone-a", "10.1.1.20"), ("provider-b", "zone-b", "10.1.2.20"))
APPLIANCES = (("provider-a", "10.1.1.11"), ("provider-a", "10.1.1.12"), ("provider-b", "10.1.2.11"))


def plan(name: str = DEFAULT_NAME, *, host_mtu_bytes: int = HOST_MTU_BYTES) -> Plan:
    """The beginning network under a lab name, as namespaces."""
    return wire(name, network(name), host_mtu_bytes=host_mtu_bytes)


def network(name: str = DEFAULT_NAME) -> Inventory:
    """The beginning network under a lab name; ids come of it."""
    consumer, provider = aws_id(name, "vpc", "consumer"), aws_id(name, "vpc", "provider")
    return Inventory(
        zones=(ZONE_A, ZONE_B),
        vpcs=(Vpc(id=consumer, cidr=CONSUMER_BLOCK, name="consumer"), Vpc(id=provider, cidr=PROVIDER_BLOCK, name="provider")),
        subnets=tuple(
            Subnet(id=aws_id(name, "subnet", subnet), vpc_id=aws_id(name, "vpc", vpc), cidr=block, zone=zone.name, name=subnet)
            for subnet, vpc, block, zone in SUBNETS
        ),
        internet_gateways=(InternetGateway(id=aws_id(name, "igw", "consumer"), vpc_id=consumer),),
        instances=(
            *(_instance(name, f"server-{number}", "application", address, SERVER)
              for number, address in enumerate(SERVER_ADDRESSES, 1)),
            *(_instance(name, f"appliance-{number}", subnet, address, APPLIANCE)
              for number, (subnet, address) in enumerate(APPLIANCES, 1)),
        ),
        nodes=tuple(
            Node(interface_id=aws_id(name, "eni", f"node-{device}"), subnet_id=aws_id(name, "subnet", subnet), address=address,
                 device=device, netns=f"{name}-{NODE_NAMESPACE}") for subnet, device, address in NODES
        ),
        endpoints=(Endpoint(
            id=aws_id(name, "vpce", "endpoint"), interface_id=aws_id(name, "eni", "endpoint"),
            subnet_id=aws_id(name, "subnet", "endpoint"), address=ENDPOINT_ADDRESS, device=ENDPOINT_DEVICE, provider_vpc_id=provider,
            router_mac=mac_address(name, f"{name}-consumer", ENDPOINT_DEVICE), netns=f"{name}-{NODE_NAMESPACE}",
        ),),
        route_tables=_route_tables(name, consumer, provider),
    )


def _instance(lab: str, name: str, subnet: str, address: str, image: str) -> Instance:
    return Instance(id=aws_id(lab, "i", name), subnet_id=aws_id(lab, "subnet", subnet), interface_id=aws_id(lab, "eni", name),
                    address=address, name=name, image=image)


def _route_tables(lab: str, consumer: str, provider: str) -> tuple[RouteTable, ...]:
    endpoint, gateway = aws_id(lab, "vpce", "endpoint"), aws_id(lab, "igw", "consumer")

    def table(name: str, association: str, destination: str, target: str) -> RouteTable:
        return RouteTable(id=aws_id(lab, "rtb", name), vpc_id=consumer, name=name, associations=(association,),
                          routes=(Route(destination=destination, target=target),))

    return (
        table("edge", gateway, APPLICATION_BLOCK, endpoint),
        table("endpoint", aws_id(lab, "subnet", "endpoint"), ANYWHERE, gateway),
        table("application", aws_id(lab, "subnet", "application"), ANYWHERE, endpoint),
        RouteTable(id=aws_id(lab, "rtb", "provider"), vpc_id=provider, name="provider", main=True),
    )
