"""`gatewatch endpoint list|attach`: where on this machine an endpoint's packets enter and leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec.structs import replace

from forwarder.control.network_state import states
from forwarder.control.store import Store
from forwarder.inventory import Attachment, Inventory, problems
from gatewatch.refusal import Refusal
from gatewatch.settings import Settings


class BadAttachment(Refusal):
    """The endpoint cannot be attached there; the message says why."""


def endpoint_list(settings: Settings) -> None:
    """Print each endpoint, its state and its device."""
    with _store(settings) as store:
        network = store.network()
        with store.reading() as connection:
            seen = states(connection, "endpoints")
    for line in lines(network, seen):
        typer.echo(line)


def endpoint_attach(settings: Settings, endpoint_id: str, place: Attachment) -> None:
    """Give an endpoint a device; `BadAttachment` when there is no such endpoint or the device is another's."""
    with _store(settings) as store:
        check(store.network(), endpoint_id, place)
        if not store.attach(endpoint_id, place):
            raise BadAttachment(f"the endpoint {endpoint_id} was deleted just now")
    typer.echo(f"{endpoint_id} is attached to {place.device}; the running forwarder opens it within a second")
    typer.echo("`gatewatch endpoint list` says when it is available")


def lines(network: Inventory, seen: dict[str, str]) -> list[str]:
    """What `endpoint list` prints."""
    if not network.endpoints:
        return ["there is no endpoint; `aws ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer …` makes one"]
    return [
        f"{endpoint.id}  {seen.get(endpoint.id, 'pending'):9}  {endpoint.address:15}  "
        + (f"{endpoint.netns}/{endpoint.device}".removeprefix("/") if endpoint.device else "not attached")
        for endpoint in network.endpoints
    ]


def check(network: Inventory, endpoint_id: str, place: Attachment) -> None:
    """`BadAttachment` when the network could not be so."""
    if all(endpoint.id != endpoint_id for endpoint in network.endpoints):
        there = ", ".join(endpoint.id for endpoint in network.endpoints) or "none"
        raise BadAttachment(f"there is no endpoint {endpoint_id}; there are: {there}")
    endpoints = tuple(
        replace(endpoint, device=place.device, netns=place.netns, router_mac=place.router_mac) if endpoint.id == endpoint_id else endpoint
        for endpoint in network.endpoints
    )
    for problem in problems(replace(network, endpoints=endpoints)):
        raise BadAttachment(problem)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    path = settings.data_path / "state.sqlite"
    if not path.exists():
        raise BadAttachment(f"{path} does not exist: nothing ran in this data folder yet; `gatewatch up` makes it")
    store = Store.open(path)
    try:
        yield store
    finally:
        store.close()
