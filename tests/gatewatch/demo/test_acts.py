"""When the acts are, and when they are over."""

from __future__ import annotations

import pytest

from gatewatch.demo.acts import plan_acts
from queries.alarms.state import StateValue


@pytest.mark.parametrize("duration_s", [0, 20, 60, 600])
def test_acts_are_in_order_and_within_the_run(duration_s: float) -> None:
    acts = plan_acts(duration_s, 10)
    order = [acts.kill_s, acts.kill_latest_s, acts.revive_s, acts.revive_latest_s]
    assert order == sorted(order)
    assert acts.ingest_kills_s == sorted(acts.ingest_kills_s)
    assert len(acts.ingest_kills_s) == 10
    if duration_s:
        assert max(order + acts.ingest_kills_s) < duration_s


def test_the_acts_are_over_when_all_has_been_shown() -> None:
    acts = plan_acts(60, 1)
    calm, were = {"unhealthy": StateValue.OK}, {StateValue.OK, StateValue.ALARM}
    assert not acts.over(revived=True, alarms=calm, alarms_were=were), "ingest was not killed yet"
    acts.ingest_kills_s.pop()
    assert acts.over(revived=True, alarms=calm, alarms_were=were)
    assert not acts.over(revived=False, alarms=calm, alarms_were=were)
    assert not acts.over(revived=True, alarms={"unhealthy": StateValue.ALARM}, alarms_were=were)
    assert not acts.over(revived=True, alarms=calm, alarms_were={StateValue.OK})
