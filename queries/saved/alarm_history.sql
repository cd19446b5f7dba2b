-- title: What the alarms did
-- about: Changes of alarms' states and the outcome of each attempt to tell somebody, newest first.
-- rows: Alarm events, one line each.
-- tables: alarm_events
-- column time: when it happened, UTC
-- column alarm: name of the alarm
-- column item_type: StateUpdate, Action or ConfigurationUpdate
-- column from_state: state before; empty when the state did not change
-- column to_state: state after; empty when the state did not change
-- column summary: what happened
-- column reason: why the state changed
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter limit (integer) = 100: how many lines
SELECT "time", alarm_name AS alarm, item_type, from_state, to_state, summary, reason
FROM alarm_events
WHERE "time" >= to_timestamp($start_s) AND "time" < to_timestamp($end_s)
ORDER BY "time" DESC, sequence DESC, alarm, item_type
LIMIT $limit
