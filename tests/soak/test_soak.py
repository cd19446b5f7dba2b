"""A short form of `make soak`: every service is looked at, and nothing runs away within two minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.growth import growth_of
from tests.soak.soak import soak, tell

SERVICES = ("api", "forwarder", "health", "ingest", "alarms", "console", "traffic", "appliance-1")


@pytest.mark.network
@pytest.mark.slow
def test_nothing_runs_away(tmp_path: Path) -> None:
    samples, ended_well = soak(tmp_path, minutes=2)
    assert ended_well
    for service in SERVICES:
        for figure in ("memory_mb", "files", "threads"):
            assert len(samples[f"{service} {figure}"]) >= 8
    # After two minutes some services are still filling their pools, so more counts as noise than after an hour.
    assert tell({name: growth_of(taken) for name, taken in samples.items() if len(taken) >= 8}, slack=3.0) == []
