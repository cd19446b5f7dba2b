-- title: Balance between targets
-- about: How the balancer spreads GENEVE packets over its targets.
-- rows: The balancer's interfaces' records (UDP, destination port 6081, both directions as in AWS): egress for what was
--   sent to a target, ingress for what came from it. Bytes are outer ones, GENEVE header included.
-- tables: flow_logs
-- column target: gw-target-id
-- column zone: gw-az-id, the target's zone
-- column packets_sent: GENEVE packets sent to the target
-- column packets_received: GENEVE packets that came from it
-- column bytes_sent: outer bytes sent
-- column bytes_received: outer bytes received
-- column sent_percent: share of all packets sent
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT gw_target_id AS target,
       max(gw_az_id) AS zone,
       CAST(sum(CASE WHEN flow_direction = 'egress' THEN packets ELSE 0 END) AS BIGINT) AS packets_sent,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE 0 END) AS BIGINT) AS packets_received,
       CAST(sum(CASE WHEN flow_direction = 'egress' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_sent,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN bytes ELSE 0 END) AS BIGINT) AS bytes_received,
       round(100.0 * sum(CASE WHEN flow_direction = 'egress' THEN packets ELSE 0 END)
             / nullif(sum(sum(CASE WHEN flow_direction = 'egress' THEN packets ELSE 0 END)) OVER (), 0), 2) AS sent_percent
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NULL AND gw_target_id IS NOT NULL AND protocol = 17 AND dstport = 6081
GROUP BY gw_target_id
ORDER BY packets_sent DESC, target
