"""A clock that follows the monotonic clock and, when told, the wall clock."""

from __future__ import annotations

import time

import pytest

from forwarder.datapath.steady_clock import SteadyClock


def test_a_step_of_the_wall_clock_is_taken_over_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, steady = 1_000_000.0, 50.0
    monkeypatch.setattr(time, "time", lambda: wall)
    monkeypatch.setattr(time, "monotonic", lambda: steady)
    clock = SteadyClock()
    steady += 1.5
    wall += 3601.5
    assert clock() == 1_000_001.5
    clock.synchronize()
    assert clock() == 1_003_601.5
