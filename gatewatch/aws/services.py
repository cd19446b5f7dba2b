"""The AWS services whose protocols are spoken, and their models as botocore ships them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How a service is recognised and answered.

    `name` is botocore's, `signing_name` the one in the SigV4 scope, `target_prefix` what precedes the operation in
    `X-Amz-Target` (JSON) and in the path (CBOR, if `cbor`), `protocol` what a form body is (`query` or `ec2`; empty: the
    service has no form protocol).
    """

    name: str
    signing_name: str
    version: str
    protocol: str = ""
    target_prefix: str = ""
    json_version: str = ""
    cbor: bool = False
    validation_code: str = "ValidationError"

    @property
    def namespace(self) -> str:
        """The XML namespace of answers, which is the model's save that EC2 is answered with `http`."""
        if self.name == "ec2":
            return f"http://ec2.amazonaws.com/doc/{self.version}/"
        return str(model(self.name).metadata["xmlNamespace"])

    @property
    def event_source(self) -> str:
        """CloudTrail's name for it."""
        return f"{self.signing_name}.amazonaws.com"


ELBV2: Final = Service(name="elbv2", signing_name="elasticloadbalancing", version="2015-12-01", protocol="query")
EC2: Final = Service(
    name="ec2", signing_name="ec2", version="2016-11-15", protocol="ec2", validation_code="InvalidParameterValue"
)
STS: Final = Service(name="sts", signing_name="sts", version="2011-06-15", protocol="query")
CLOUDWATCH: Final = Service(
    name="cloudwatch", signing_name="monitoring", version="2010-08-01", protocol="query",
    target_prefix="GraniteServiceVersion20100801", json_version="1.0", cbor=True,
)
CLOUDTRAIL: Final = Service(
    name="cloudtrail", signing_name="cloudtrail", version="2013-11-01",
    target_prefix="com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", json_version="1.1",
    validation_code="ValidationException",
)
LOGS: Final = Service(
    name="logs", signing_name="logs", version="2014-03-28", target_prefix="Logs_20140328", json_version="1.1",
    validation_code="InvalidParameterException",
)

SERVICES: Final = {service.name: service for service in (ELBV2, EC2, STS, CLOUDWATCH, CLOUDTRAIL, LOGS)}
BY_VERSION: Final = {service.version: service for service in SERVICES.values() if service.protocol}
BY_TARGET_PREFIX: Final = {service.target_prefix: service for service in SERVICES.values() if service.target_prefix}


@cache
def model(service_name: str) -> ServiceModel:
    """The service's model, read on first use (10 to 70 ms, EC2's the slowest)."""
    return ServiceModel(Loader().load_service_model(service_name, "service-2"), service_name)


def operation_model(service: Service, operation: str) -> OperationModel | None:
    """The model of an operation, None if the service has none of that name."""
    try:
        return model(service.name).operation_model(operation)
    except OperationNotFoundError:
        return None
