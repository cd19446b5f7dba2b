"""The demo's acts: an appliance dies and comes back, ingest is killed now and then; when, and when all has been shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from queries.alarms.state import StateValue

#: Without --duration the acts come when they would in a run of this length.
ENDLESS_AS_S = 150.0
#: How much longer than asked a run may go on until its acts are over, as a share of the duration.
OVERTIME_SHARE_MAX = 0.5


@dataclass(slots=True)
class Acts:
    """What happens to the appliance and to ingest, and when (seconds after the traffic started)."""

    kill_s: float
    kill_latest_s: float
    revive_s: float
    revive_latest_s: float
    ingest_kills_s: list[float]

    def over(self, *, revived: bool, alarms: Mapping[str, StateValue], alarms_were: Collection[StateValue]) -> bool:
        """Whether all has been shown: ingest died as often as asked, the appliance is back, and the alarm knows it."""
        calm = all(state is StateValue.OK for state in alarms.values())
        return revived and calm and StateValue.ALARM in alarms_were and not self.ingest_kills_s


def plan_acts(duration_s: float, ingest_kills: int) -> Acts:
    """The appliance dies once the alarm is OK and comes back once it was ALARM; ingest dies at even distances.

    `duration_s` 0 is a run without an end.
    """
    scale = duration_s if duration_s else ENDLESS_AS_S
    return Acts(
        kill_s=0.15 * scale,
        kill_latest_s=0.3 * scale,
        revive_s=0.4 * scale,
        revive_latest_s=0.65 * scale,
        ingest_kills_s=[(index + 1) * scale * 0.9 / (ingest_kills + 1) for index in range(ingest_kills)],
    )
