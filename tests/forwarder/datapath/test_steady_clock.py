"""A clock that follows the monotonic clock and, when told, the wall clock."""

from __future__ import annotations

import time

import pytest

from forwarder.datapath.steady_clock import STEP_S, SteadyClock


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


def test_readings_within_a_step_are_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    steady = iter((50.0, 50.0, 50.5, 50.5 + 0.9 * STEP_S, 50.5 + 1.1 * STEP_S))
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(steady))
    clock = SteadyClock()
    readings = [clock() for _ in range(4)]
    assert readings[1] is readings[2]
    assert readings == [1_000_000.0, 1_000_000.5, 1_000_000.5, pytest.approx(1_000_000.5 + 1.1 * STEP_S)]
