from __future__ import annotations

import pytest

from dashboards.gate.refused import Refused


def test_a_refusal_is_the_callers_fault_and_has_a_known_name() -> None:
    assert Refused(status=404, reason="address", detail="nothing there").headers == {}
    with pytest.raises(AssertionError):
        Refused(status=500, reason="address", detail="ours")
    with pytest.raises(AssertionError):
        Refused(status=400, reason="whim", detail="uncounted")
