"""Where in the lab an endpoint or a balancer's interface is that was made through the API: on a link between its VPC's router and the
balancer's namespace."""

from __future__ import annotations

from forwarder.inventory import Attachment, Inventory, Vpc
from forwarder.lab.names import device_name, mac_address

#: Of the namespace that the balancer's devices are in, behind the lab's name.
NODE_NAMESPACE = "node"


def attachments(lab: str, network: Inventory) -> dict[str, Attachment]:
    """A place for each endpoint (by id) and node (by interface) that has none; the same for the same lab and thing."""
    places = {node.interface_id: _place(lab, device_name("", node.interface_id)) for node in network.nodes if not node.device}
    for endpoint in network.endpoints:
        if not endpoint.device:
            device, router = device_name("", endpoint.id), router_name(lab, _vpc_of(network, endpoint.subnet_id))
            places[endpoint.id] = _place(lab, device, mac_address(lab, router, device))
    return places


def router_name(lab: str, vpc: Vpc) -> str:
    """The namespace that is a VPC's router."""
    return f"{lab}-{vpc.name or vpc.id}"


def _place(lab: str, device: str, router_mac: str = "") -> Attachment:
    return Attachment(device=device, netns=f"{lab}-{NODE_NAMESPACE}", router_mac=router_mac)


def _vpc_of(network: Inventory, subnet_id: str) -> Vpc:
    subnet = network.subnet(subnet_id)
    vpc = network.vpc(subnet.vpc_id) if subnet else None
    assert vpc is not None, "a network is checked before it is wired"
    return vpc
