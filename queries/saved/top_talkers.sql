-- title: Who sends the most
-- about: Senders by bytes that they gave to the endpoints, refused packets included.
-- rows: Endpoint interfaces' ingress records (ACCEPT and REJECT): every packet once, when the route table hands it over.
--   Returned packets (egress) and the balancer's own GENEVE records are the same packets again and are left out.
-- tables: flow_logs
-- column source: packet-level source address
-- column bytes: bytes handed over
-- column packets: packets handed over
-- column destinations: different packet-level destination addresses
-- column rejected_packets: packets of these that the gateway refused
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter limit (integer) = 10: how many senders
SELECT pkt_srcaddr AS source,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(packets) AS BIGINT) AS packets,
       count(DISTINCT pkt_dstaddr) AS destinations,
       CAST(sum(CASE WHEN action = 'REJECT' THEN packets ELSE 0 END) AS BIGINT) AS rejected_packets,
       to_timestamp(max("end")) AS last_seen
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND log_status = 'OK'
GROUP BY pkt_srcaddr
ORDER BY bytes DESC, source
LIMIT $limit
