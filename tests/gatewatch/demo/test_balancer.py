"""The demo's calls to the API, when nobody answers or an error comes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from forwarder.inventory import Inventory, Node, Subnet
from gatewatch.demo.balancer import NoAnswer, client, create_balancer, target_states, wait_for_api
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
