"""Which conditions hold, case by case (`tests/fixtures/conditions/cases.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from queries.conditions.condition import CONDITIONS
from queries.conditions.evaluation import evaluate
from queries.conditions.reading import ServiceStatus, Snapshot
from queries.conditions.verdict import sentence

NOW_S = 1_795_395_700.0
CASES = json.loads((Path(__file__).parents[2] / "fixtures/conditions/cases.json").read_text(encoding="utf-8"))


def snapshot(case: dict[str, Any]) -> Snapshot:
    free, whole = case["disk"]
    services = {name: msgspec.convert(status, ServiceStatus) for name, status in case["services"].items()}
    return Snapshot(services=services, disk_free_bytes=free, disk_bytes=whole)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_a_case(case: dict[str, Any]) -> None:
    assert [sentence(condition) for condition in evaluate(snapshot(case), NOW_S)] == case["sentences"]


def test_every_condition_has_a_case() -> None:
    seen = {condition.code for case in CASES for condition in evaluate(snapshot(case), NOW_S)}
    assert seen == set(CONDITIONS)
