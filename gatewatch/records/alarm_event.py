"""An entry of an alarm's history, one JSON object per line on `gatewatch.alarms`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gatewatch.records.domain import EpochMs, Name

#: CloudWatch's states of an alarm; empty in entries that are not about a state.
State = Annotated[str, Meta(pattern="^(OK|ALARM|INSUFFICIENT_DATA|)$")]


class AlarmEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an alarm.  `time` is epoch milliseconds; `item_type` is CloudWatch's HistoryItemType
    (`ConfigurationUpdate`, `StateUpdate`, `Action`); `data` is JSON text, CloudWatch's HistoryData."""

    time: EpochMs
    alarm_name: Name
    item_type: Annotated[str, Meta(pattern="^(ConfigurationUpdate|StateUpdate|Action)$")]
    from_state: State
    to_state: State
    summary: str
    reason: str
    data: str
