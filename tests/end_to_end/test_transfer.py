"""A large TCP transfer and packets of the largest size through the whole gateway: route table, endpoint, appliance and back."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli_w
from msgspec.structs import replace

from forwarder.inventory import Inventory
from forwarder.lab import namespace as named
from forwarder.lab import topology
from forwarder.lab.plan import Machine
from forwarder.network_namespace import run_in
from gatewatch.demo.balancer import client, create_balancer, target_states, wait_for_api
from gatewatch.demo.stage import Stage
from gatewatch.settings import Settings
from gatewatch.status_file import read_status
from queries.books import chain
from tests.end_to_end.demo_run import LAB_NAME
from tests.forwarder.lab.changed_network import INSPECTED_ADDRESS, INSPECTED_BLOCK, INSTANCE_NAME, with_another_endpoint
from tests.ports import free_port

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(900)]

TRANSFER_BYTES = 100_000_000
WEB_PORT = 80
DNS_PORT = 53


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Lab, services and healthy appliances, without traffic."""
    settings = Settings(
        data=str(tmp_path_factory.mktemp("stage")), api_port=free_port(), lab_name=LAB_NAME, capture_window_s=5, metrics_period_s=5
    )
    one = Stage(settings, console=False, rate=1)
    try:
        one.open()
        elbv2 = client(settings)
        assert wait_for_api(elbv2, 120)
        balancer = create_balancer(elbv2, one.lab.inventory, [machine.instance_id for machine in one.lab.appliances])

        def healthy() -> bool:
            return set(target_states(elbv2, balancer.target_group_arn).values()) == {"healthy"}

        one.run_until(time.monotonic() + 120, healthy)
        assert healthy()
        yield one
    finally:
        one.close()


def opened(machine: Machine, kind: int, *bind: Any) -> socket.socket:
    """A socket inside a machine's namespace, bound when an address is given."""

    def make() -> socket.socket:
        one = socket.socket(socket.AF_INET, kind)
        one.settimeout(120)
        if bind:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(bind)
        return one

    return run_in(machine.netns, make)


def wait_for(stage: Stage, condition: Callable[[], bool]) -> None:
    stage.run_until(time.monotonic() + 90, condition)
    assert condition()


def counters(stage: Stage) -> dict[str, Any]:
    status = read_status(Path(stage.settings.data), "forwarder")
    assert status is not None
    return dict(status["packets"])


def test_a_hundred_megabytes_arrive_intact(stage: Stage) -> None:
    transfer(stage)


def transfer(stage: Stage) -> None:
    """From a server to a client."""
    server, source = stage.lab.servers[0], stage.lab.clients[0]
    content = random.Random(6081).randbytes(1_000_000)
    sent, received = hashlib.sha256(), hashlib.sha256()
    listener = opened(server, socket.SOCK_STREAM, server.address, WEB_PORT)
    listener.listen(1)

    def send_all() -> None:
        connection, _ = listener.accept()
        with connection:
            for _ in range(TRANSFER_BYTES // len(content)):
                connection.sendall(content)
                sent.update(content)

    sender = threading.Thread(target=send_all)
    sender.start()
    total = 0
    with opened(source, socket.SOCK_STREAM) as receiver:
        receiver.connect((server.address, WEB_PORT))
        while part := receiver.recv(1 << 20):
            received.update(part)
            total += len(part)
    sender.join()
    listener.close()
    assert total == TRANSFER_BYTES
    assert received.hexdigest() == sent.hexdigest()


def test_a_packet_of_8500_bytes_arrives_and_one_of_8501_is_dropped_and_counted(stage: Stage) -> None:
    server, source = stage.lab.servers[0], stage.lab.clients[0]
    wait_for(stage, lambda: counters(stage)["offered"] > 0)
    with opened(server, socket.SOCK_DGRAM, server.address, DNS_PORT) as receiver:
        send_packet(source, server, length=8500)
        assert len(receiver.recv(10_000)) == 8500 - 28
        before = counters(stage)["dropped"].get("oversize", 0)
        send_packet(source, server, length=8501)
        wait_for(stage, lambda: counters(stage)["dropped"].get("oversize", 0) == before + 1)
        receiver.settimeout(0.2)
        with pytest.raises(TimeoutError):
            receiver.recv(10_000)


def send_packet(source: Machine, server: Machine, *, length: int) -> None:
    """A UDP packet of `length` bytes, as a frame to the client's gateway, whatever the client's own MTU."""
    from scapy.layers.inet import IP, UDP

    payload = bytes(length - 28)
    packet = bytes(IP(src=source.address, dst=server.address, flags="DF") / UDP(sport=5353, dport=DNS_PORT) / payload)

    def send() -> None:
        from pyroute2 import IPRoute

        with IPRoute() as ip:
            link = next(entry for entry in ip.get_links() if entry.get_attr("IFLA_IFNAME") != "lo")
            route = next(entry for entry in ip.get_default_routes())
            gateway = route.get_attr("RTA_GATEWAY")
            with opened_here() as warm:
                warm.sendto(b"", (gateway, 9))  # so that the neighbour is known
            mac = neighbour(ip, gateway)
        name = link.get_attr("IFLA_IFNAME")
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as frames:
            frames.sendto(packet, (name, 0x0800, 0, 0, bytes.fromhex(mac.replace(":", ""))))

    run_in(source.netns, send)


def opened_here() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def neighbour(ip: Any, address: str) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for entry in ip.get_neighbours(dst=address):
            if entry.get_attr("NDA_LLADDR"):
                return str(entry.get_attr("NDA_LLADDR"))
        threading.Event().wait(0.02)
    raise AssertionError(f"no neighbour entry for {address}")


TURNS = 20
SHORT_FLOWS_PER_S = 200


def test_another_endpoint_comes_is_used_and_goes_twenty_times_and_nobody_else_notices(stage: Stage) -> None:
    """With its subnet, node, routes and a server; meanwhile a large transfer and many short flows use the endpoint there was."""
    data, ec2 = Path(stage.settings.data), client(stage.settings, "ec2")
    before, first = forwarder_status(data), topology.network(stage.settings.lab_name)
    more = with_another_endpoint(stage.settings.lab_name, first)
    second = more.endpoints[-1].id
    others = Others(stage)
    others.start()
    try:
        for turn in range(TURNS):
            change_network(data, more)
            wait_with_caretaker(stage, lambda: states(ec2).get(second) == "available")
            answered = run_in(stage.lab.clients[2].netns, lambda turn=turn: ping(INSPECTED_ADDRESS, turn))  # type: ignore[misc]
            assert answered, f"turn {turn}: no answer through the new endpoint"
            change_network(data, first)
            wait_with_caretaker(stage, lambda: second not in states(ec2) and not named.exists(f"{LAB_NAME}-{INSTANCE_NAME}"))
    finally:
        others.stop()
    wait_for(stage, lambda: forwarder_status(data)["endpoints_gone"].get("offered", 0) >= 2 * TURNS)
    assert others.problems == []
    assert others.transfers > 0
    assert others.short_flows > SHORT_FLOWS_PER_S
    after = forwarder_status(data)
    assert after["pid"] == before["pid"]
    assert dropped_here(after) == dropped_here(before), "no packet was lost by the gateway"
    assert chain(data).balanced


def dropped_here(status: dict[str, Any]) -> dict[str, int]:
    """Packets by reason, without what an appliance's queue had no room for on a busy machine, which TCP sends again."""
    return {reason: packets for reason, packets in status["packets"]["dropped"].items() if reason != "not_returned"}


def test_routes_that_the_api_changes_lead_packets_past_the_gateway_and_back(stage: Stage) -> None:
    ec2, server, source = client(stage.settings, "ec2"), stage.lab.servers[0], stage.lab.clients[0]
    tables = {table.name: table.id for table in stage.lab.inventory.route_tables}
    endpoint, gateway = stage.lab.inventory.endpoints[0].id, stage.lab.inventory.internet_gateways[0].id

    def lead(*, through: bool) -> None:
        """Both ways through the endpoint, or straight."""
        if through:
            ec2.create_route(RouteTableId=tables["edge"], DestinationCidrBlock=topology.APPLICATION_BLOCK, VpcEndpointId=endpoint)
        else:
            ec2.delete_route(RouteTableId=tables["edge"], DestinationCidrBlock=topology.APPLICATION_BLOCK)
        target = {"VpcEndpointId": endpoint} if through else {"GatewayId": gateway}
        ec2.replace_route(RouteTableId=tables["application"], DestinationCidrBlock="0.0.0.0/0", **target)
        revision = len(ec2.describe_route_tables(Filters=[{"Name": "route.gateway-id", "Values": [endpoint]}])["RouteTables"])
        assert revision == (2 if through else 0)
        wait_with_caretaker(stage, lambda: any(table.routes[0].target == endpoint for table in stage.lab.inventory.route_tables
                                               if table.routes) is through)

    def offered_for_a_ping() -> int:
        wait_for(stage, at_rest(stage))
        before = counters(stage)["offered"]
        assert run_in(source.netns, lambda: ping(server.address, 1000))
        threading.Event().wait(2.5)  # two status files later: that nothing comes cannot be waited for
        return int(counters(stage)["offered"] - before)

    assert offered_for_a_ping() == 2
    lead(through=False)
    assert offered_for_a_ping() == 0
    lead(through=True)
    assert offered_for_a_ping() == 2
    assert chain(Path(stage.settings.data)).balanced


def test_an_endpoint_of_a_service_is_made_by_the_api_carries_packets_once_accepted_and_goes(stage: Stage) -> None:
    data, ec2, first = Path(stage.settings.data), client(stage.settings, "ec2"), topology.network(stage.settings.lab_name)
    more = with_another_endpoint(stage.settings.lab_name, first)
    # The subnets and the server behind, but neither the endpoint nor a route to it.
    tables = {table.name: replace(table, routes=() if table.name == "inspected" else table.routes) for table in more.route_tables}
    tables["edge"] = first.route_tables[0]
    change_network(data, replace(more, endpoints=first.endpoints, route_tables=tuple(tables.values())))
    subnet = next(subnet for subnet in more.subnets if subnet.name == "endpoint-2")
    wait_with_caretaker(stage, lambda: named.exists(f"{LAB_NAME}-{INSTANCE_NAME}"))
    balancer = client(stage.settings).describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    service = ec2.create_vpc_endpoint_service_configuration(GatewayLoadBalancerArns=[balancer])["ServiceConfiguration"]
    made = ec2.create_vpc_endpoint(VpcEndpointType="GatewayLoadBalancer", VpcId=subnet.vpc_id, SubnetIds=[subnet.id],
                                   ServiceName=service["ServiceName"])["VpcEndpoint"]["VpcEndpointId"]
    ec2.create_route(RouteTableId=tables["edge"].id, DestinationCidrBlock=INSPECTED_BLOCK, VpcEndpointId=made)
    ec2.create_route(RouteTableId=tables["inspected"].id, DestinationCidrBlock="0.0.0.0/0", VpcEndpointId=made)
    assert states(ec2)[made] == "pendingAcceptance"
    ec2.accept_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[made])
    wait_with_caretaker(stage, lambda: states(ec2)[made] == "available")
    assert run_in(stage.lab.clients[2].netns, lambda: ping(INSPECTED_ADDRESS, 2000))
    ec2.reject_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[made])
    refused = counters(stage)["dropped"].get("no_load_balancer", 0)
    wait_for(stage, lambda: not run_in(stage.lab.clients[2].netns, lambda: ping(INSPECTED_ADDRESS, 2010)))
    wait_for(stage, lambda: counters(stage)["dropped"].get("no_load_balancer", 0) > refused)
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[made])["Unsuccessful"] == []
    assert ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service["ServiceId"]])["Unsuccessful"] == []
    wait_with_caretaker(stage, lambda: made not in {endpoint.id for endpoint in stage.caretaker.lab.inventory.endpoints})
    assert run_in(stage.lab.clients[0].netns, lambda: ping(stage.lab.servers[0].address, 2020)), "the first endpoint did not notice"
    ec2.delete_route(RouteTableId=tables["edge"].id, DestinationCidrBlock=INSPECTED_BLOCK)
    change_network(data, first)
    wait_with_caretaker(stage, lambda: not named.exists(f"{LAB_NAME}-{INSTANCE_NAME}"))
    wait_for(stage, lambda: chain(data).balanced)


def at_rest(stage: Stage) -> Callable[[], bool]:
    """A question: do two status files say the same of the packets, so that none of an earlier test is still to be told."""
    seen: list[tuple[float, int]] = []

    def asked() -> bool:
        status = forwarder_status(Path(stage.settings.data))
        if not seen or seen[-1][0] != status["time"]:
            seen.append((status["time"], status["packets"]["offered"]))
        return len(seen) >= 3 and len({offered for _, offered in seen[-3:]}) == 1

    return asked


class Others:
    """A hundred megabytes again and again, and short UDP flows, each of which must be answered."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._transfer, self._ask)]
        self.problems: list[str] = []
        self.transfers = self.short_flows = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _transfer(self) -> None:
        try:
            while not self._stopping.is_set():
                transfer(self._stage)
                self.transfers += 1
        except (OSError, AssertionError) as error:
            self.problems.append(f"transfer: {error!r}")

    def _ask(self) -> None:
        server, source = self._stage.lab.servers[1], self._stage.lab.clients[1]
        echo = opened(server, socket.SOCK_DGRAM, server.address, DNS_PORT)
        answering = threading.Thread(target=echo_until, args=(echo, self._stopping))
        answering.start()
        while not self._stopping.wait(1 / SHORT_FLOWS_PER_S):
            with opened(source, socket.SOCK_DGRAM) as asking:
                asking.settimeout(10)
                asking.sendto(b"question", (server.address, DNS_PORT))
                try:
                    asking.recv(100)
                except TimeoutError:
                    self.problems.append("a short flow had no answer")
            self.short_flows += 1
        answering.join()
        echo.close()


def echo_until(echo: socket.socket, stopping: threading.Event) -> None:
    echo.settimeout(0.5)
    while not stopping.is_set():
        try:
            content, sender = echo.recvfrom(100)
        except TimeoutError:
            continue
        echo.sendto(content, sender)


def change_network(data: Path, network: Inventory) -> None:
    """Write the inventory as a whole."""
    new = data / ".inventory.new"
    new.write_text(tomli_w.dumps(msgspec.to_builtins(network)), encoding="utf-8")
    new.replace(data / "inventory.toml")


def states(ec2: Any) -> dict[str, str]:
    return {endpoint["VpcEndpointId"]: endpoint["State"] for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]}


def wait_with_caretaker(stage: Stage, condition: Callable[[], bool]) -> None:
    stage.run_until(time.monotonic() + 60, condition, stage.caretaker.look)
    assert condition()


def ping(address: str, number: int) -> bool:
    """One ICMP echo from the namespace of the calling thread, and its answer."""
    from scapy.layers.inet import ICMP

    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(5)
        for attempt in range(3):  # the first may come before the routes of everybody
            raw.sendto(bytes(ICMP(id=4242, seq=3 * number + attempt)), (address, 0))
            try:
                while (answer := raw.recv(200))[20] != 0 or answer[24:26] != (4242).to_bytes(2, "big"):
                    pass
            except TimeoutError:
                continue
            return True
    return False


def forwarder_status(data: Path) -> dict[str, Any]:
    status = read_status(data, "forwarder")
    assert status is not None
    return dict(status)
