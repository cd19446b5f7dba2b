"""Where the lab attaches an endpoint that was made through the API."""

from __future__ import annotations

from msgspec.structs import replace

from forwarder.inventory import Endpoint, Inventory
from forwarder.lab import topology
from forwarder.lab.attachment import attachments
from forwarder.lab.names import aws_id
from forwarder.lab.wiring import wire


def with_unattached(lab: str) -> Inventory:
    network = topology.network(lab)
    made = Endpoint(id="vpce-0123456789abcdef0", interface_id="eni-0123456789abcdef0", subnet_id=aws_id(lab, "subnet", "application"),
                    address="10.0.2.4", service_id="vpce-svc-1")
    return replace(network, endpoints=(*network.endpoints, made))


def test_only_what_has_no_device_is_attached() -> None:
    assert list(attachments("gw", with_unattached("gw"))) == ["vpce-0123456789abcdef0"]
    assert attachments("gw", topology.network("gw")) == {}


def test_an_attached_endpoint_is_wired_between_its_router_and_the_balancer() -> None:
    network = with_unattached("gw")
    [(_, place)] = attachments("gw", network).items()
    assert wire("gw", network, host_mtu_bytes=8500).links == wire("gw", topology.network("gw"), host_mtu_bytes=8500).links
    attached = replace(network.endpoints[-1], device=place.device, netns=place.netns, router_mac=place.router_mac)
    plan = wire("gw", replace(network, endpoints=(*network.endpoints[:-1], attached)), host_mtu_bytes=8500)
    [link] = [link for link in plan.links if link.other.device == place.device]
    assert (link.one.namespace, link.one.mac, link.other.namespace) == ("gw-consumer", place.router_mac, "gw-node")
    assert attachments("gw", replace(network, endpoints=(attached,))) == {}
