"""Why an alarm is in its state: CloudWatch's sentence (StateReason) and its data (StateReasonData).

The sentences follow those in the Amazon CloudWatch User Guide's examples of alarm events and history.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from queries.alarms.alarm import AlarmEntry
from queries.alarms.evaluation import ComparisonOperator, Datapoint, StateValue, TreatMissingData, Verdict

INITIAL = "Unchecked: Initial alarm creation"

_WORDS = {
    ComparisonOperator.GREATER_OR_EQUAL: "greater than or equal to", ComparisonOperator.GREATER: "greater than",
    ComparisonOperator.LESS: "less than", ComparisonOperator.LESS_OR_EQUAL: "less than or equal to",
}
_TREATED = {TreatMissingData.BREACHING: "Breaching", TreatMissingData.NOT_BREACHING: "NonBreaching"}


def time_text(time_s: float) -> str:
    """A time as CloudWatch writes it in JSON: `2026-11-23T01:00:00.000+0000`."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def reason_text(alarm: AlarmEntry, verdict: Verdict, previous: StateValue) -> str:
    """The sentence for a change from `previous` to the verdict's state."""
    if not verdict.considered:
        return _without_datapoints(alarm, verdict)
    rule = alarm.rule
    in_alarm = verdict.state is StateValue.ALARM
    fitting = [
        each for each in verdict.considered
        if each.value is not None and rule.comparison_operator.breaches(each.value, rule.threshold) == in_alarm
    ]
    # The newest is named first.
    points = ", ".join(_point(each) for each in reversed(fitting))
    treated = _TREATED.get(rule.treat_missing_data, "") if verdict.filled else ""
    minimum = rule.datapoints_to_alarm if in_alarm else rule.evaluation_periods - rule.datapoints_to_alarm + 1
    return (
        f"Threshold Crossed: {len(fitting)} out of the last {len(verdict.considered)} datapoints [{points}] "
        f"{'was' if len(fitting) == 1 else 'were'} {'' if in_alarm else 'not '}{_WORDS[rule.comparison_operator]} "
        f"the threshold ({rule.threshold})"
        f"{f' and {_missing(verdict.filled)} treated as [{treated}]' if treated else ''} "
        f"(minimum {minimum} datapoint{'' if minimum == 1 else 's'} for {previous} -> {verdict.state} transition)."
    )


def _without_datapoints(alarm: AlarmEntry, verdict: Verdict) -> str:
    count = verdict.filled
    treated = _TREATED.get(alarm.treat_missing_data)
    if treated is None:
        return f"Insufficient Data: {count} datapoint{' was' if count == 1 else 's were'} unknown."
    return (
        f"Threshold Crossed: no datapoints were received for {count} period{'' if count == 1 else 's'} and "
        f"{_missing(count)} treated as [{treated}]."
    )


def _missing(count: int) -> str:
    return "1 missing datapoint was" if count == 1 else f"{count} missing datapoints were"


def _point(datapoint: Datapoint) -> str:
    return f"{datapoint.value} ({datetime.fromtimestamp(datapoint.start_s, UTC):%d/%m/%y %H:%M:%S})"


def reason_data(alarm: AlarmEntry, verdict: Verdict, now_s: float) -> str:
    """StateReasonData, JSON text."""
    content = {
        "version": "1.0", "queryDate": time_text(now_s), "statistic": alarm.statistic, "period": alarm.period_s,
        "recentDatapoints": [each.value for each in verdict.considered], "threshold": alarm.threshold,
        "evaluatedDatapoints": [
            {"timestamp": time_text(each.start_s), "sampleCount": each.sample_count, "value": each.value}
            for each in reversed(verdict.considered)
        ],
    }
    if verdict.considered:
        content["startDate"] = time_text(verdict.considered[0].start_s)
    if alarm.unit:
        content["unit"] = alarm.unit
    return json.dumps(content)
