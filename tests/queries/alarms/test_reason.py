"""The sentences and the data."""

from __future__ import annotations

import json

import msgspec
import pytest

from queries.alarms.alarm import AlarmEntry
from queries.alarms.evaluation import ComparisonOperator, Datapoint, StateValue, TreatMissingData, Verdict
from queries.alarms.reason import reason_data, reason_text, time_text
from queries.metric_statistics import Statistic
from tests.queries.lake_builder import HOUR_S

ALARM = AlarmEntry(
    name="a", metric_name="m", statistic=Statistic.MAXIMUM, period_s=60, threshold=0.0, evaluation_periods=3,
    comparison_operator=ComparisonOperator.GREATER,
)


def verdict(state: StateValue, *values: float, filled: int = 0) -> Verdict:
    points = tuple(
        Datapoint(start_s=HOUR_S + 60 * index, value=value, sample_count=1.0) for index, value in enumerate(values)
    )
    return Verdict(state=state, considered=points, filled=filled)


@pytest.mark.parametrize(
    ("changes", "judged", "previous", "expected"),
    [
        (
            {}, verdict(StateValue.ALARM, 1.0, 2.0, 1.0), StateValue.OK,
            "Threshold Crossed: 3 out of the last 3 datapoints [1.0 (23/11/26 01:02:00), 2.0 (23/11/26 01:01:00), "
            "1.0 (23/11/26 01:00:00)] were greater than the threshold (0.0) (minimum 3 datapoints for OK -> ALARM "
            "transition).",
        ),
        (
            {"evaluation_periods": 1}, verdict(StateValue.OK, 0.0), StateValue.ALARM,
            "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (23/11/26 01:00:00)] was not greater than the "
            "threshold (0.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            {"evaluation_periods": 1}, verdict(StateValue.INSUFFICIENT_DATA, filled=1), StateValue.OK,
            "Insufficient Data: 1 datapoint was unknown.",
        ),
        (
            {}, verdict(StateValue.INSUFFICIENT_DATA, filled=3), StateValue.OK,
            "Insufficient Data: 3 datapoints were unknown.",
        ),
        (
            {"treat_missing_data": TreatMissingData.BREACHING, "evaluation_periods": 1},
            verdict(StateValue.ALARM, filled=1), StateValue.OK,
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
            "[Breaching].",
        ),
        (
            {"treat_missing_data": TreatMissingData.NOT_BREACHING, "datapoints_to_alarm": 2,
             "comparison_operator": ComparisonOperator.LESS_OR_EQUAL},
            verdict(StateValue.OK, 3.0, filled=2), StateValue.ALARM,
            "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (23/11/26 01:00:00)] was not less than or equal to "
            "the threshold (0.0) and 2 missing datapoints were treated as [NonBreaching] (minimum 2 datapoints for "
            "ALARM -> OK transition).",
        ),
    ],
)
def test_the_sentence_says_what_was_seen(
    changes: dict[str, object], judged: Verdict, previous: StateValue, expected: str
) -> None:
    assert reason_text(msgspec.structs.replace(ALARM, **changes), judged, previous) == expected


def test_the_data_has_the_datapoints() -> None:
    data = json.loads(reason_data(ALARM, verdict(StateValue.ALARM, 1.0, 2.0), HOUR_S + 200.5))
    assert data["version"] == "1.0"
    assert (data["queryDate"], data["startDate"]) == ("2026-11-23T01:03:20.500+0000", "2026-11-23T01:00:00.000+0000")
    assert (data["statistic"], data["period"], data["threshold"]) == ("Maximum", 60, 0.0)
    assert data["recentDatapoints"] == [1.0, 2.0]
    assert data["evaluatedDatapoints"][0] == {"timestamp": time_text(HOUR_S + 60), "sampleCount": 1.0, "value": 2.0}


def test_without_datapoints_there_is_no_start() -> None:
    assert "startDate" not in json.loads(reason_data(ALARM, verdict(StateValue.OK, filled=3), HOUR_S))
