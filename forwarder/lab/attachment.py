"""Where in the lab an endpoint is that was made through the API: on a link between its VPC's router and the balancer's namespace."""

from __future__ import annotations

from forwarder.inventory import Attachment, Inventory, Vpc
from forwarder.lab.names import device_name, mac_address

#: Of the namespace that the balancer's devices are in, behind the lab's name.
NODE_NAMESPACE = "node"


def attachments(lab: str, network: Inventory) -> dict[str, Attachment]:
    """A place for each endpoint that has none, by id; the same for the same lab and endpoint."""
    return {
        endpoint.id: _place(lab, router_name(lab, _vpc_of(network, endpoint.subnet_id)), endpoint.id)
        for endpoint in network.endpoints if not endpoint.device
    }


def router_name(lab: str, vpc: Vpc) -> str:
    """The namespace that is a VPC's router."""
    return f"{lab}-{vpc.name or vpc.id}"


def _place(lab: str, router: str, endpoint_id: str) -> Attachment:
    device = device_name("", endpoint_id)
    return Attachment(device=device, netns=f"{lab}-{NODE_NAMESPACE}", router_mac=mac_address(lab, router, device))


def _vpc_of(network: Inventory, subnet_id: str) -> Vpc:
    subnet = network.subnet(subnet_id)
    vpc = network.vpc(subnet.vpc_id) if subnet else None
    assert vpc is not None, "a network is checked before it is wired"
    return vpc
