"""Names of the topics on the bus (design: contracts).  One topic feeds one table of the lake."""

from __future__ import annotations

FLOW_LOGS = "gatewatch.flow-logs"
METRICS = "gatewatch.metrics"
AUDIT = "gatewatch.audit"
TARGET_HEALTH = "gatewatch.target-health"
APPLIANCE_ACCESS = "gatewatch.appliance-access"
ALARMS = "gatewatch.alarms"

TOPICS = (FLOW_LOGS, METRICS, AUDIT, TARGET_HEALTH, APPLIANCE_ACCESS, ALARMS)
