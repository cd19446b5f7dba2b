"""The collector of the packets' process: on, seldom, and past what stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from forwarder.collector import THRESHOLDS, calm_collector


@pytest.fixture
def as_before() -> Iterator[None]:
    """Put back what holds for the whole process."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_it_stays_on_and_leaves_alone_what_is_there(as_before: None) -> None:
    gc.collect()
    walked_before = len(gc.get_objects())
    calm_collector()
    assert gc.isenabled()
    assert gc.get_threshold() == THRESHOLDS
    assert len(gc.get_objects()) < walked_before / 10
