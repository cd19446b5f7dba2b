-- title: What the appliance ate
-- about: Flows of which a target gave back fewer packets than it was given: denied by a rule, lost, or refused on return.
--   Packets still under way when a capture window closed show here until the next window's records are there.
-- rows: Endpoint interfaces' records, accepted ingress minus egress for each flow and direction; what came back counts as
--   given back also where the device then refused it (deliver_failed).
-- tables: flow_logs
-- column target: gw-target-id of the flow
-- column source: packet-level source address
-- column source_port: source port
-- column destination: packet-level destination address
-- column destination_port: destination port
-- column protocol: IANA protocol number
-- column packets_given: packets sent to the target
-- column packets_eaten: packets that did not come back
-- column bytes_eaten: bytes that did not come back
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter packets_min (integer) = 1: least number of packets eaten
-- parameter limit (integer) = 100: how many flows
SELECT max(gw_target_id) AS target,
       pkt_srcaddr AS source,
       srcport AS source_port,
       pkt_dstaddr AS destination,
       dstport AS destination_port,
       protocol,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE 0 END) AS BIGINT) AS packets_given,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE -packets END) AS BIGINT) AS packets_eaten,
       CAST(sum(CASE WHEN flow_direction = 'ingress' THEN bytes ELSE -bytes END) AS BIGINT) AS bytes_eaten,
       to_timestamp(max("end")) AS last_seen
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NOT NULL AND (action = 'ACCEPT' OR flow_direction = 'egress')
GROUP BY gw_endpoint_id, pkt_srcaddr, srcport, pkt_dstaddr, dstport, protocol
HAVING sum(CASE WHEN flow_direction = 'ingress' THEN packets ELSE -packets END) >= $packets_min
ORDER BY packets_eaten DESC, source, source_port, destination, destination_port, protocol
LIMIT $limit
