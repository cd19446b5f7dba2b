"""Every protocol of the table has the whole interface."""

from __future__ import annotations

import inspect

import pytest

from gatewatch.aws.protocols.protocol import AwsProtocol
from gatewatch.aws.protocols.table import PROTOCOLS

METHODS = [name for name, _ in inspect.getmembers(AwsProtocol, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_it_has_the_interface(protocol: AwsProtocol) -> None:
    assert METHODS == ["error", "not_served", "parameters", "read", "recognise", "result", "seeming_service"]
    for name in METHODS:
        wanted = list(inspect.signature(getattr(AwsProtocol, name)).parameters)[1:]
        assert list(inspect.signature(getattr(protocol, name)).parameters) == wanted


def test_each_has_a_name_of_its_own() -> None:
    assert len({protocol.name for protocol in PROTOCOLS}) == len(PROTOCOLS)
