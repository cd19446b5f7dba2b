"""What counts as growth."""

from __future__ import annotations

import random

import pytest

from tests.soak.growth import growth_of


def test_a_straight_line_is_growth() -> None:
    found = growth_of([(second, 100 + second / 60) for second in range(0, 3600, 5)])
    assert found.per_hour == pytest.approx(60, rel=0.02)
    assert found.beyond(floor=10, per_hour=30)


def test_what_fills_up_at_first_and_then_stays_is_none() -> None:
    found = growth_of([(second, min(300, 100 + second)) for second in range(0, 3600, 5)])
    assert found.per_hour == 0
    assert not found.beyond(floor=0, per_hour=0)


def test_noise_is_none() -> None:
    dice = random.Random(1)
    found = growth_of([(second, 200 + dice.uniform(-8, 8)) for second in range(0, 600, 5)])
    assert not found.beyond(floor=10, per_hour=10)


def test_too_few_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="too few"):
        growth_of([(0, 1), (1, 1)])
