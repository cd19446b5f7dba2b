-- title: Where the flow log has nothing to tell
-- about: Capture windows without traffic (NODATA) and windows in which records were skipped for want of room (SKIPDATA),
--   per interface. SKIPDATA means that the other queries count too little.
-- rows: Records whose log-status is not OK; one may stand for many lost flows.
-- tables: flow_logs
-- column interface: interface id
-- column status: NODATA or SKIPDATA
-- column windows: records
-- column seconds: time covered by those windows
-- column first_seen: start of the oldest
-- column last_seen: end of the newest
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT interface_id AS interface,
       log_status AS status,
       count(*) AS windows,
       CAST(sum("end" - "start") AS BIGINT) AS seconds,
       to_timestamp(min("start")) AS first_seen,
       to_timestamp(max("end")) AS last_seen
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s AND log_status <> 'OK'
GROUP BY interface_id, log_status
ORDER BY status DESC, windows DESC, interface
