-- title: Who talks to whom
-- about: Pairs of packet-level source and destination by bytes; the two directions of a conversation are two pairs.
-- rows: Endpoint interfaces' ingress records that were accepted: every packet once, when it is handed over.
-- tables: flow_logs
-- column source: packet-level source address
-- column destination: packet-level destination address
-- column bytes: bytes handed over and accepted
-- column packets: packets handed over and accepted
-- column flows: different port pairs and protocols
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter limit (integer) = 20: how many pairs
WITH flows AS (
    SELECT pkt_srcaddr, pkt_dstaddr, srcport, dstport, protocol, sum(bytes) AS bytes, sum(packets) AS packets
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s
      AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND action = 'ACCEPT'
    GROUP BY pkt_srcaddr, pkt_dstaddr, srcport, dstport, protocol
)
SELECT pkt_srcaddr AS source,
       pkt_dstaddr AS destination,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(packets) AS BIGINT) AS packets,
       count(*) AS flows
FROM flows
GROUP BY pkt_srcaddr, pkt_dstaddr
ORDER BY bytes DESC, source, destination
LIMIT $limit
