"""Loopback servers answer to loopback names, others to all."""

from __future__ import annotations

import pytest

from gatewatch.host_names import names_of


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_on_loopback_only_this_machines_names(host: str) -> None:
    assert set(names_of(host)) == {"127.0.0.1", "localhost", "[::1]"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
def test_elsewhere_any_name(host: str) -> None:
    assert list(names_of(host)) == ["*"]
