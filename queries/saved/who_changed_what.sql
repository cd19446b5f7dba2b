-- title: Who changed what
-- about: Calls that change something, newest first, refused ones included.
-- rows: Audit events that are not read-only, one line a call.
-- tables: audit_events
-- column time: when the call was made, UTC
-- column user_name: who made it
-- column access_key: with which access key
-- column event: the operation
-- column error: error code; empty when it succeeded
-- column parameters: the request, JSON text
-- column source_address: from where
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter user_name (text) = : only this user; empty for all
-- parameter limit (integer) = 100: how many calls
SELECT event_time AS "time",
       user_name,
       access_key_id AS access_key,
       event_name AS event,
       coalesce(error_code, '') AS error,
       request_parameters AS parameters,
       source_ip_address AS source_address
FROM audit_events
WHERE event_time >= to_timestamp($start_s) AND event_time < to_timestamp($end_s)
  AND NOT read_only AND ($user_name = '' OR user_name = $user_name)
ORDER BY event_time DESC, sequence DESC, event_id
LIMIT $limit
