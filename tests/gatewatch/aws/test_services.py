"""The table of services agrees with botocore's models."""

from __future__ import annotations

import pytest

from gatewatch.aws.services import BY_TARGET_PREFIX, BY_VERSION, SERVICES, Service, model, operation_model


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_the_model_says_the_same(service: Service) -> None:
    metadata = model(service.name).metadata
    assert service.version == metadata["apiVersion"]
    assert service.signing_name == metadata.get("signingName", metadata["endpointPrefix"])
    assert service.target_prefix == metadata.get("targetPrefix", "")
    assert service.json_version == metadata.get("jsonVersion", "")
    if service.protocol == "query":
        assert service.namespace == metadata["xmlNamespace"]


def test_lookups() -> None:
    assert BY_VERSION["2015-12-01"].name == "elbv2"
    assert BY_TARGET_PREFIX["Logs_20140328"].event_source == "logs.amazonaws.com"
    assert operation_model(SERVICES["elbv2"], "DescribeTags") is not None
    assert operation_model(SERVICES["elbv2"], "DescribeNothing") is None
