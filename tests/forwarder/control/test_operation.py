"""Every operation that is served is AWS's, and its members too."""

from __future__ import annotations

import pytest

from gatewatch.api_service import SERVED
from gatewatch.aws.services import model


@pytest.mark.parametrize("service", SERVED)
def test_operations_and_members_are_in_the_model(service: str) -> None:
    for name, operation in SERVED[service].items():
        shape = model(service).operation_model(name).input_shape
        known = set(shape.members) if shape is not None else set()
        assert operation.members <= known, name
