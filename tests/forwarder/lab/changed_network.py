"""The lab's network with more in it: a second endpoint in a subnet of its own, a subnet behind it with a server, and a node.

Every kind of thing comes or changes: the edge table gets a route besides.
"""

from __future__ import annotations

from msgspec.structs import replace

from forwarder.inventory import Endpoint, Instance, Inventory, Node, Route, RouteTable, Subnet
from forwarder.lab.names import aws_id, mac_address

INSPECTED_BLOCK, INSPECTED_ADDRESS = "10.0.4.0/24", "10.0.4.11"
INSTANCE_NAME, DEVICE = "server-new", "vpce1"


def with_another_endpoint(lab: str, network: Inventory) -> Inventory:
    """What `network` is once everything was added."""
    consumer, provider = (vpc.id for vpc in network.vpcs)
    zone = network.zones[0].name
    endpoint, gateway = aws_id(lab, "vpce", "second"), network.internet_gateways[0].id
    subnets = {name: aws_id(lab, "subnet", name) for name in ("endpoint-2", "inspected", "provider-c")}
    edge, *others = network.route_tables
    assert gateway in edge.associations

    def table(name: str, subnet: str, target: str) -> RouteTable:
        return RouteTable(id=aws_id(lab, "rtb", name), vpc_id=consumer, name=name, associations=(subnets[subnet],),
                          routes=(Route(destination="0.0.0.0/0", target=target),))

    return replace(
        network,
        subnets=(
            *network.subnets,
            Subnet(id=subnets["endpoint-2"], vpc_id=consumer, cidr="10.0.3.0/24", zone=zone, name="endpoint-2"),
            Subnet(id=subnets["inspected"], vpc_id=consumer, cidr=INSPECTED_BLOCK, zone=zone, name="inspected"),
            Subnet(id=subnets["provider-c"], vpc_id=provider, cidr="10.1.3.0/24", zone=zone, name="provider-c"),
        ),
        instances=(*network.instances, Instance(
            id=aws_id(lab, "i", INSTANCE_NAME), subnet_id=subnets["inspected"], interface_id=aws_id(lab, "eni", INSTANCE_NAME),
            address=INSPECTED_ADDRESS, name=INSTANCE_NAME,
        )),
        nodes=(*network.nodes, Node(
            interface_id=aws_id(lab, "eni", "node-zone-c"), subnet_id=subnets["provider-c"], address="10.1.3.20", device="zone-c",
            netns=f"{lab}-node",
        )),
        endpoints=(*network.endpoints, Endpoint(
            id=endpoint, interface_id=aws_id(lab, "eni", "second"), subnet_id=subnets["endpoint-2"], address="10.0.3.10",
            device=DEVICE, provider_vpc_id=provider, router_mac=mac_address(lab, f"{lab}-consumer", DEVICE), netns=f"{lab}-node",
        )),
        route_tables=(
            replace(edge, routes=(*edge.routes, Route(destination=INSPECTED_BLOCK, target=endpoint))), *others,
            table("endpoint-2", "endpoint-2", gateway), table("inspected", "inspected", endpoint),
        ),
    )
