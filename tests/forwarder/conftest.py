"""The control room in one process: requests are written and answers read by botocore, so the codec is tested too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from forwarder.control.handler import Handler
from forwarder.control.network_state import put_whole
from forwarder.control.store import Store
from forwarder.inventory import Inventory, read_inventory
from gatewatch.api_service import SERVED
from gatewatch.aws.dispatch import Dispatcher
from gatewatch.aws.services import SERVICES, model
from gatewatch.aws.sigv4 import SignedRequest
from gatewatch.settings import Settings

FIXTURES = Path(__file__).parents[1] / "fixtures" / "control"

#: The clock's first reading: 2026-11-01T10:00:00Z.
START_S = 1_793_527_200.0

VPC = "vpc-0aa11aa11aa11aa11"
SUBNET_A = "subnet-0a000000000000001"
SUBNET_B = "subnet-0a000000000000002"
INSTANCE_1 = "i-0a000000000000001"
INSTANCE_2 = "i-0a000000000000002"


class Refused(Exception):
    """An error answer."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Api:
    """The API with a clock and a network that a test may change."""

    def __init__(self, path: Path, inventory: Inventory, settings: Settings) -> None:
        self.store = Store.open(path)
        self.import_network(inventory)
        self.now_s = START_S
        self._numbers = iter(range(1, 1_000_000))
        self.handler = Handler(
            self.store, settings, SERVED, clock_s=lambda: self.now_s,
            number=lambda: f"{next(self._numbers):016x}",
        )
        self.dispatcher = Dispatcher(self.handler, credentials=None, clock_s=lambda: self.now_s)

    def import_network(self, inventory: Inventory) -> None:
        """Put this network into the store."""
        self.inventory = inventory
        with self.store.writing() as connection:
            put_whole(connection, inventory)

    def call(self, service_name: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer as botocore reads it; `Refused` for an error."""
        service = SERVICES[service_name]
        operation_model = model(service_name).operation_model(operation)
        serialized = create_serializer(service.protocol, False).serialize_to_request(parameters, operation_model)
        return self.post(service_name, operation, serialized["body"])

    def post(self, service_name: str, operation: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """As `call`, with the form's fields."""
        service = SERVICES[service_name]
        scope = f"AKIDTEST/20261101/us-east-1/{service.signing_name}/aws4_request"
        answer = self.dispatcher.answer(
            SignedRequest(
                method="POST", path="/", query="", body=urlencode(fields).encode(),
                headers={
                    "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}",
                    "user-agent": "test",
                },
            ),
            "192.0.2.7",
        )
        shape = model(service_name).operation_model(operation).output_shape
        parsed = create_parser(service.protocol).parse(
            {"status_code": answer.status, "headers": {}, "body": answer.body}, shape
        )
        metadata = parsed.pop("ResponseMetadata")
        assert metadata["RequestId"]
        if answer.status >= 300:
            raise Refused(parsed["Error"]["Code"], parsed["Error"]["Message"], answer.status)
        return parsed

    def elbv2(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A call of elbv2."""
        return self.call("elbv2", operation, **parameters)

    def load_balancer(self, name: str = "gw", subnets: tuple[str, ...] = (SUBNET_A, SUBNET_B)) -> str:
        """A new load balancer's ARN."""
        made = self.elbv2("CreateLoadBalancer", Name=name, Type="gateway", Subnets=list(subnets))
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def target_group(self, name: str = "targets", **more: Any) -> str:
        """A new target group's ARN."""
        made = self.elbv2("CreateTargetGroup", Name=name, Protocol="GENEVE", Port=6081, VpcId=VPC, **more)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, load_balancer: str, group: str) -> str:
        """A new listener's ARN."""
        action = {"Type": "forward", "TargetGroupArn": group}
        made = self.elbv2("CreateListener", LoadBalancerArn=load_balancer, DefaultActions=[action])
        return str(made["Listeners"][0]["ListenerArn"])

    def register(self, group: str, *ids: str) -> None:
        """Register targets."""
        self.elbv2("RegisterTargets", TargetGroupArn=group, Targets=[{"Id": target_id} for target_id in ids])

    def health(self, group: str) -> dict[str, dict[str, str]]:
        """`TargetHealth` by target id."""
        found = self.elbv2("DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
        return {item["Target"]["Id"]: item["TargetHealth"] for item in found}

    def events(self) -> list[dict[str, Any]]:
        """The audit events that are in the outbox."""
        with self.store.reading() as connection:
            rows = connection.execute("SELECT record FROM audit_outbox ORDER BY id").fetchall()
        return [msgspec.json.decode(row["record"]) for row in rows]


@pytest.fixture
def inventory() -> Inventory:
    """Two zones with appliances, a third without a node, a VPC of someone else."""
    return read_inventory(FIXTURES / "inventory.toml")


@pytest.fixture
def api(tmp_path: Path, inventory: Inventory) -> Iterator[Api]:
    """An API with an empty store."""
    made = Api(tmp_path / "state.sqlite", inventory, Settings(data=str(tmp_path)))
    yield made
    made.store.close()
