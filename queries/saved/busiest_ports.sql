-- title: Busiest services
-- about: Traffic by service port, both directions of a connection together. The service port of a record is the smaller
--   of its two ports, since clients use high ones; protocols without ports show 0.
-- rows: Endpoint interfaces' accepted ingress records: every packet once, when it is handed over.
-- tables: flow_logs
-- column port: the service's port
-- column protocol: IANA protocol number
-- column bytes: bytes handed over, both directions
-- column packets: packets handed over, both directions
-- column records: flow records
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter limit (integer) = 20: how many ports
SELECT least(srcport, dstport) AS port,
       protocol,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(packets) AS BIGINT) AS packets,
       count(*) AS records
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND action = 'ACCEPT'
GROUP BY least(srcport, dstport), protocol
ORDER BY bytes DESC, port, protocol
LIMIT $limit
