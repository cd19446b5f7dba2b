"""CloudWatch's decision, against the guide's own tables and properties over random ranges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.alarms.evaluation import (
    ComparisonOperator,
    Datapoint,
    Rule,
    StateValue,
    TreatMissingData,
    evaluate,
    last_end_s,
    range_periods,
    step_s,
    window_starts,
)

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "alarms" / "missing_data.json").read_text(encoding="utf-8"))
VALUES = {"X": 2.0, "0": 0.0, "-": None}


def rule(periods: int, to_alarm: int, treat: str) -> Rule:
    return Rule(
        comparison_operator=ComparisonOperator.GREATER, threshold=1.0, evaluation_periods=periods,
        datapoints_to_alarm=to_alarm, treat_missing_data=TreatMissingData(treat),
    )


def datapoints(text: str) -> list[Datapoint]:
    return [Datapoint(start_s=60 * index, value=VALUES[each]) for index, each in enumerate(text)]


@pytest.mark.parametrize("current", list(StateValue))
@pytest.mark.parametrize("treat", [str(each) for each in TreatMissingData])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['datapointsToAlarm']}of{case['evaluationPeriods']}:{case['datapoints']}")
def test_the_guides_tables(case: dict[str, object], treat: str, current: StateValue) -> None:
    assert range_periods(int(str(case["evaluationPeriods"]))) == case["evaluationRange"]
    expected = case["expected"][treat]  # type: ignore[index]
    decided = rule(int(str(case["evaluationPeriods"])), int(str(case["datapointsToAlarm"])), treat)
    verdict = evaluate(decided, datapoints(str(case["datapoints"])), current)
    assert verdict.state == (current if expected == "CUR" else expected)


@pytest.mark.parametrize("text", ["----X", "---X-"])
def test_a_few_points_at_the_beginning_do_not_alarm_too_early(text: str) -> None:
    state = evaluate(rule(3, 3, "missing"), datapoints(text), StateValue.INSUFFICIENT_DATA).state
    assert state is StateValue.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [
        (ComparisonOperator.GREATER, [2.0]), (ComparisonOperator.GREATER_OR_EQUAL, [1.0, 2.0]),
        (ComparisonOperator.LESS, [0.0]), (ComparisonOperator.LESS_OR_EQUAL, [0.0, 1.0]),
    ],
)
def test_the_value_is_the_left_operand(operator: ComparisonOperator, breaching: list[float]) -> None:
    assert [value for value in (0.0, 1.0, 2.0) if operator.breaches(value, 1.0)] == breaching


RANGES = st.integers(min_value=1, max_value=5).flatmap(lambda periods: st.tuples(
    st.just(periods), st.integers(min_value=1, max_value=periods),
    st.text(alphabet="X0-", min_size=range_periods(periods), max_size=range_periods(periods)),
))


@given(RANGES, st.sampled_from(list(TreatMissingData)), st.sampled_from(list(StateValue)))
def test_with_enough_points_the_treatment_of_missing_ones_does_not_matter(
    case: tuple[int, int, str], treat: TreatMissingData, current: StateValue
) -> None:
    periods, to_alarm, text = case
    real = [each for each in text if each != "-"]
    verdict = evaluate(rule(periods, to_alarm, treat), datapoints(text), current)
    assert len(verdict.considered) + verdict.filled == periods
    if len(real) >= periods:
        in_alarm = real[-periods:].count("X") >= to_alarm
        assert verdict.state is (StateValue.ALARM if in_alarm else StateValue.OK)
        assert verdict.filled == 0


@given(RANGES, st.sampled_from(list(StateValue)))
def test_breaching_alarms_whenever_not_breaching_does(case: tuple[int, int, str], current: StateValue) -> None:
    periods, to_alarm, text = case
    mild = evaluate(rule(periods, to_alarm, "notBreaching"), datapoints(text), current).state
    strict = evaluate(rule(periods, to_alarm, "breaching"), datapoints(text), current).state
    assert strict is StateValue.ALARM or mild is not StateValue.ALARM


@given(RANGES, st.sampled_from(list(StateValue)))
def test_ignore_never_makes_data_insufficient(case: tuple[int, int, str], current: StateValue) -> None:
    periods, to_alarm, text = case
    state = evaluate(rule(periods, to_alarm, "ignore"), datapoints(text), current).state
    assert state is current or state is not StateValue.INSUFFICIENT_DATA


@pytest.mark.parametrize(("period_s", "step"), [(1, 1), (5, 5), (10, 10), (20, 10), (30, 10), (60, 60), (300, 60)])
def test_windows_move_as_often_as_alarms_are_evaluated(period_s: int, step: int) -> None:
    assert step_s(period_s) == step


@pytest.mark.parametrize(
    ("now_s", "covered_until_s", "expected"),
    [
        (120.1, 120.0, 120),  # the rows are there: judged at once
        (120.1, 60.0, 60),    # they may still come
        (124.9, 60.0, 60),
        (125.0, 60.0, 120),   # they should have: the period counts, as missing
        (125.0, 0.0, 120),
        (119.9, 120.0, 60),   # a period that has not ended is not judged
    ],
)
def test_a_period_is_missing_only_once_it_should_have_arrived(
    now_s: float, covered_until_s: float, expected: int
) -> None:
    assert last_end_s(now_s, period_s=60, covered_until_s=covered_until_s, arrival_s=5.0) == expected


def test_a_long_period_slides_by_the_minute() -> None:
    ends = [last_end_s(300.0 + minute * 60, period_s=300, covered_until_s=1e9, arrival_s=5.0) for minute in range(3)]
    assert ends == [300, 360, 420]
    assert window_starts(420, period_s=300, periods=2) == [-180, 120]


@given(st.floats(min_value=0, max_value=1e9), st.sampled_from([1, 5, 10, 20, 30, 60, 300]),
       st.floats(min_value=0, max_value=1e9), st.floats(min_value=0, max_value=60))
def test_the_newest_window_has_ended_and_is_not_older_than_arrival_allows(
    now_s: float, period_s: int, covered_until_s: float, arrival_s: float
) -> None:
    end_s = last_end_s(now_s, period_s=period_s, covered_until_s=covered_until_s, arrival_s=arrival_s)
    assert end_s <= now_s
    assert end_s > now_s - arrival_s - 2 * step_s(period_s)
