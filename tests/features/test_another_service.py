"""How much another AWS service is: a backend of a few lines is served in each protocol, to the stock CLI and boto3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import pytest
import uvicorn

from gatewatch.aws.answer import Answer
from gatewatch.aws.call import Call
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.error import AwsError
from gatewatch.aws.server import application
from gatewatch.aws.services import CLOUDWATCH
from tests.gatewatch.aws.protocols.reading import parsed, request
from tests.ports import free_port

AWS = Path(sys.executable).with_name("aws")
WHEN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


class Dummy:
    """One operation a protocol: query, ec2, json 1.1, and cloudwatch's, which comes in three."""

    ANSWERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
        "sts": {"GetCallerIdentity": {"Account": "123456789012"}},
        "ec2": {"DescribeRegions": {"Regions": [{"RegionName": "us-east-1"}]}},
        "cloudtrail": {"LookupEvents": {"Events": [{"EventId": "e", "EventTime": WHEN}]}},
        "cloudwatch": {"ListMetrics": {"Metrics": [{"Namespace": "AWS/GatewayELB", "MetricName": "HealthyHostCount"}]}},
    }

    def operations(self, service: str) -> frozenset[str]:
        return frozenset(self.ANSWERS.get(service, ()))

    def __call__(self, call: Call) -> Mapping[str, Any]:
        if call.refusal is not None:
            raise call.refusal
        if call.parameters.get("Namespace") == "none":
            raise AwsError("ResourceNotFound", "no such namespace", 404)
        return self.ANSWERS[call.service][call.operation]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = application(Dispatcher(Dummy(), credentials=None, clock_s=lambda: 0.0), body_bytes_max=10_000)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield server.config.port
    server.should_exit = True
    thread.join()


def client(port: int, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="s",
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(("service", "method", "protocol"), [
    ("sts", "get_caller_identity", "query"), ("ec2", "describe_regions", "ec2"), ("cloudtrail", "lookup_events", "json"),
    ("cloudwatch", "list_metrics", "json"),
])
def test_boto3_reads_each_protocol(port: int, service: str, method: str, protocol: str) -> None:
    made = client(port, service)
    assert made.meta.service_model.resolved_protocol == protocol
    answer = getattr(made, method)()
    answer.pop("ResponseMetadata")
    (wanted,) = Dummy.ANSWERS[service].values()
    assert answer == wanted


@pytest.mark.parametrize(("namespace", "status"), [("AWS/GatewayELB", 200), ("none", 404)])
def test_a_cbor_client_reads_its_protocol(port: int, namespace: str, status: int) -> None:
    """boto3 prefers JSON where a service has both, so the request is written, and the answer read, by its CBOR classes alone."""
    headers, path, body = request(CLOUDWATCH, "ListMetrics", {"Namespace": namespace}, "cbor")
    scope = "A/20261127/us-east-1/monitoring/aws4_request"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", path, body, headers)
    got = connection.getresponse()
    answer = Answer(status=got.status, body=got.read(), content_type=got.headers["content-type"], headers=dict(got.headers))
    found = parsed(CLOUDWATCH, "ListMetrics", answer, "cbor")
    connection.close()
    assert answer.status == status
    if status == 200:
        assert found["Metrics"] == Dummy.ANSWERS["cloudwatch"]["ListMetrics"]["Metrics"]
    else:
        assert found["Error"]["Code"] == "ResourceNotFound"


def test_an_error_is_the_clients_exception(port: int) -> None:
    made = client(port, "cloudwatch")
    with pytest.raises(made.exceptions.ClientError, match=r"ResourceNotFound.*no such namespace"):
        made.list_metrics(Namespace="none")
    with pytest.raises(made.exceptions.ClientError, match="does not serve cloudwatch DescribeAlarms"):
        made.describe_alarms()


@pytest.mark.parametrize(("command", "key"), [
    (("sts", "get-caller-identity"), "Account"), (("ec2", "describe-regions"), "Regions"),
    (("cloudtrail", "lookup-events"), "Events"), (("cloudwatch", "list-metrics"), "Metrics"),
])
def test_the_stock_cli_reads_each_protocol(port: int, command: tuple[str, str], key: str) -> None:
    environment = {
        **os.environ, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "",
    }
    said = subprocess.run(
        [AWS, "--endpoint-url", f"http://127.0.0.1:{port}", "--output", "json", *command], env=environment, capture_output=True,
        text=True, check=False,
    )
    assert said.returncode == 0, said.stderr
    assert key in json.loads(said.stdout)
