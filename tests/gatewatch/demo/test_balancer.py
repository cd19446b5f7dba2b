"""The demo's calls to the API, when nobody answers or an error comes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from forwarder.inventory import Inventory, Node, Subnet
from gatewatch.demo.balancer import (
    ForeignBalancer,
    NoAnswer,
    client,
    create_balancer,
    is_balancer_missing,
    target_states,
    wait_for_api,
)
from gatewatch.settings import Settings

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/firewalls/0123456789abcdef"


@pytest.fixture
def silent() -> Iterator[Settings]:
    """Settings whose API port nobody listens on, or can before the test is over."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Settings(api_port=taken.getsockname()[1])


@pytest.fixture
def refusing() -> Iterator[Settings]:
    """Settings whose API answers each call with one of AWS's errors."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = (b'<ErrorResponse><Error><Type>Sender</Type><Code>TargetGroupNotFound</Code>'
                    b'<Message>gone</Message></Error></ErrorResponse>')
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Settings(api_port=server.server_port)
        server.shutdown()
        thread.join()


def test_an_api_that_is_being_started_again_is_a_no_answer_in_one_line(silent: Settings) -> None:
    with pytest.raises(NoAnswer, match=r"^the targets' health is not known: Could not connect") as caught:
        target_states(client(silent), ARN)
    assert "\n" not in str(caught.value)


class Answers:
    """An API whose client raises, or gives something strange."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def describe_target_health(self, **_: Any) -> Any:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize("outcome", [
    ResponseParserError("Unable to parse response: Service Unavailable"), {}, {"TargetHealthDescriptions": [{"Target": {"Id": "i-1"}}]},
], ids=["no XML", "nothing", "half of it"])
def test_an_answer_that_cannot_be_read_is_a_no_answer(outcome: Any) -> None:
    with pytest.raises(NoAnswer, match="the targets' health is not known"):
        target_states(Answers(outcome), ARN)


def test_an_error_of_the_api_is_told_with_its_code(refusing: Settings) -> None:
    with pytest.raises(NoAnswer, match="TargetGroupNotFound"):
        target_states(client(refusing), ARN)


def test_the_users_proxy_and_profile_have_no_say(refusing: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_CONFIG_FILE", __file__)
    with pytest.raises(NoAnswer, match="TargetGroupNotFound"):
        target_states(client(refusing), ARN)


def test_a_load_balancer_that_cannot_be_created_is_refused(silent: Settings) -> None:
    subnet = Subnet(id="subnet-1", vpc_id="vpc-1", cidr="10.1.1.0/24", zone="us-east-1a")
    node = Node(interface_id="eni-1", subnet_id="subnet-1", address="10.1.1.10", device="eth2")
    with pytest.raises(NoAnswer, match="the load balancer was not created"):
        create_balancer(client(silent), Inventory(subnets=(subnet,), nodes=(node,)), ["i-1"])


def test_waiting_for_an_api_that_never_answers_ends(silent: Settings) -> None:
    assert not wait_for_api(client(silent), 0.2, pause=lambda seconds: None)


class FakeApi:
    """Load balancers by VPC, the first ones with a listener."""

    def __init__(self, *vpc_ids: str, listeners: int) -> None:
        self._vpc_ids = vpc_ids
        self._listeners = listeners

    def describe_load_balancers(self) -> dict[str, Any]:
        return {"LoadBalancers": [
            {"LoadBalancerArn": str(place), "LoadBalancerName": f"lb-{place}", "VpcId": vpc_id}
            for place, vpc_id in enumerate(self._vpc_ids)
        ]}

    def describe_listeners(self, LoadBalancerArn: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        return {"Listeners": [{}] if int(LoadBalancerArn) < self._listeners else []}


NETWORK = Inventory(
    subnets=(Subnet(id="subnet-n", vpc_id="vpc-p", cidr="10.9.0.0/24", zone="a"),),
    nodes=(Node(interface_id="eni-n", subnet_id="subnet-n", address="10.9.0.1", device="gwn"),),
)


@pytest.mark.parametrize(("api", "missing"), [
    (FakeApi(listeners=0), True),
    (FakeApi("vpc-p", listeners=1), False),
    (FakeApi("vpc-p", listeners=0), True),
    (FakeApi("vpc-p", "vpc-other", listeners=1), False),
], ids=["none", "whole", "left half made", "another beside it"])
def test_a_balancer_is_missing_until_its_listener_is_there(api: FakeApi, missing: bool) -> None:
    assert is_balancer_missing(api, NETWORK) is missing


def test_balancers_of_another_network_alone_are_told_and_not_taken_for_ones_own() -> None:
    with pytest.raises(ForeignBalancer, match=r"lb-0 in vpc-other.*--data"):
        is_balancer_missing(FakeApi("vpc-other", listeners=1), NETWORK)


def test_an_api_that_does_not_answer_is_told(silent: Settings) -> None:
    with pytest.raises(NoAnswer, match="whether there is a load balancer"):
        is_balancer_missing(client(silent), NETWORK)
