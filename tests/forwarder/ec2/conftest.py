"""An API over the network that the lab begins with."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.lab import topology


@pytest.fixture
def lab_api(api: Any) -> Any:
    """The API, its network the lab's."""
    api.import_network(topology.network("gw"))
    return api
