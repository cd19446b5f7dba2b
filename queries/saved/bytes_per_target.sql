-- title: Bytes per target
-- about: What each target was given and what it gave back, in inner bytes (without the GENEVE header).
-- rows: Endpoint interfaces' accepted records that name a target: ingress for what was given, egress for what came back.
--   The two are the same packets at two moments and are never added up.
-- tables: flow_logs
-- column target: gw-target-id
-- column zone: gw-az-id, the target's zone
-- column bytes_given: bytes sent to the target
-- column bytes_returned: bytes that came back and were delivered
-- column packets_given: packets sent to the target
-- column packets_returned: packets that came back and were delivered
-- column returned_percent: share of packets that came back
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT gw_target_id AS target,
       max(gw_az_id) AS zone,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_given,
       CAST(sum(CASE WHEN flow_direction = 'egress' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_returned,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE 0 END) AS BIGINT) AS packets_given,
       CAST(sum(CASE WHEN flow_direction = 'egress' THEN packets ELSE 0 END) AS BIGINT) AS packets_returned,
       round(100.0 * sum(CASE WHEN flow_direction = 'egress' THEN packets ELSE 0 END)
             / nullif(sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE 0 END), 0), 2) AS returned_percent
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NOT NULL AND gw_target_id IS NOT NULL AND action = 'ACCEPT'
GROUP BY gw_target_id
ORDER BY bytes_given DESC, target
