"""One verdict: the worst that holds, in a sentence."""

from __future__ import annotations

from queries.conditions.condition import Condition, Severity
from queries.conditions.verdict import sentence, verdict


def test_nothing_wrong() -> None:
    found = verdict([])
    assert (found.severity, found.text, found.others) == (None, "Nothing is wrong.", 0)


def test_the_worst_is_told_and_the_others_counted() -> None:
    low, lost = Condition(code="disk_low", detail="9 MB"), Condition(code="no_target", detail="group a has no target", packets=4_211)
    found = verdict([low, lost, low])
    assert (found.severity, found.others) == (Severity.CRITICAL, 2)
    assert found.text == "No packet passes: group a has no target (4,211 packets refused)."
    assert verdict([low]).severity is Severity.WARNING


def test_a_moment_is_told_in_the_readers_way() -> None:
    condition = Condition(code="no_target", detail="x", since_s=0.0)
    assert sentence(condition) == "No packet passes: x (since 1970-01-01 00:00:00 UTC)."
    assert sentence(condition, lambda time_s: f"<{time_s:g}>") == "No packet passes: x (since <0>)."
