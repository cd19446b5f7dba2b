"""What flows between rooms: flow-log lines, metrics, audit events, health changes, access logs, alarm events."""
