-- title: What the gateway refused, and why
-- about: Refused packets by the gateway's drop reason. What an appliance denied is not here: see eaten_by_appliance and
--   denied_by_rule.
-- rows: Records with action REJECT, which only endpoint interfaces have; each refused packet once.
-- tables: flow_logs
-- column reason: gw-drop-reason; AWS's reject-reason for imported logs; unknown when a log has neither
-- column packets: packets refused
-- column bytes: bytes refused
-- column records: flow records
-- column sources: different packet-level source addresses
-- column first_seen: start of the oldest record
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT coalesce(gw_drop_reason, reject_reason, 'unknown') AS reason,
       CAST(sum(packets) AS BIGINT) AS packets,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       count(*) AS records,
       count(DISTINCT coalesce(pkt_srcaddr, srcaddr)) AS sources,
       to_timestamp(min("start")) AS first_seen,
       to_timestamp(max("end")) AS last_seen
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s AND action = 'REJECT'
GROUP BY coalesce(gw_drop_reason, reject_reason, 'unknown')
ORDER BY packets DESC, reason
