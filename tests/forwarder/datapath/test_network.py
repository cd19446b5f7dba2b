"""A network names its ports, which are told apart by what they are and not by what they have in common."""

from __future__ import annotations

from forwarder.datapath.network import Network, is_among
from forwarder.plan import Plan
from tests.forwarder.datapath.fake_ports import FakeEndpoint, FakeNode


def test_its_ports_are_those_of_endpoints_and_nodes() -> None:
    endpoint, node = FakeEndpoint(), FakeNode()
    made = Network(plan=Plan(revision=1), endpoints={"vpce-1": endpoint}, nodes={node.address: node})
    assert made.ports == [endpoint, node]
    assert is_among(endpoint, made.ports)
    assert not is_among(FakeEndpoint(), made.ports)
    for port in made.ports:
        port.close()
