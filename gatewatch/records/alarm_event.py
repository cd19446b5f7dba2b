"""An entry of an alarm's history, one JSON object per line on `gatewatch.alarms`."""

from __future__ import annotations

import msgspec


class AlarmEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an alarm.  `time` is epoch milliseconds; `item_type` is CloudWatch's HistoryItemType
    (`ConfigurationUpdate`, `StateUpdate`, `Action`); `data` is JSON text, CloudWatch's HistoryData."""

    time: int
    alarm_name: str
    item_type: str
    from_state: str
    to_state: str
    summary: str
    reason: str
    data: str
