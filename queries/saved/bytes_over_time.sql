-- title: Traffic over time
-- about: Bytes and packets per unit of time: handed over and accepted, returned by targets, and refused.
-- rows: Endpoint interfaces' records; ingress and egress are the same packets at two moments and stay in two columns.
--   A record counts wholly in the unit in which it starts.
-- tables: flow_logs
-- column time: start of the unit of time, UTC
-- column bytes_accepted: bytes handed over and accepted
-- column bytes_returned: bytes that came back and were delivered
-- column bytes_rejected: bytes refused
-- column packets_accepted: packets handed over and accepted
-- column packets_returned: packets that came back and were delivered
-- column packets_rejected: packets refused
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter unit (text) = minute: second, minute, hour or day
SELECT date_trunc($unit, to_timestamp("start")) AS "time",
       CAST(sum(CASE WHEN flow_direction = 'ingress' AND action = 'ACCEPT' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_accepted,
       CAST(sum(CASE WHEN flow_direction = 'egress' AND action = 'ACCEPT' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_returned,
       CAST(sum(CASE WHEN action = 'REJECT' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_rejected,
       CAST(sum(CASE WHEN flow_direction = 'ingress' AND action = 'ACCEPT' THEN packets ELSE 0 END) AS BIGINT) AS packets_accepted,
       CAST(sum(CASE WHEN flow_direction = 'egress' AND action = 'ACCEPT' THEN packets ELSE 0 END) AS BIGINT) AS packets_returned,
       CAST(sum(CASE WHEN action = 'REJECT' THEN packets ELSE 0 END) AS BIGINT) AS packets_rejected
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s AND gw_endpoint_id IS NOT NULL AND log_status = 'OK'
GROUP BY date_trunc($unit, to_timestamp("start"))
ORDER BY "time"
