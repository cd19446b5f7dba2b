-- title: Connections that were never answered
-- about: TCP connections with a SYN and no SYN-ACK back in the time range: closed or filtered ports, dead servers, or an
--   appliance that ate one direction.
-- rows: Endpoint interfaces' ingress records of TCP: the opener's with SYN (tcp-flags 2 without 16) that have no record
--   of the reverse direction with SYN-ACK (18). Refused SYNs are included.
-- tables: flow_logs
-- column source: address that opens the connection
-- column destination: address that does not answer
-- column destination_port: port that does not answer
-- column connections: different source ports
-- column packets: packets of the opener
-- column rejected_packets: packets of these that the gateway refused
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter limit (integer) = 100: how many lines
WITH opened AS (
    SELECT pkt_srcaddr, srcport, pkt_dstaddr, dstport, sum(packets) AS packets,
           sum(CASE WHEN action = 'REJECT' THEN packets ELSE 0 END) AS rejected_packets, max("end") AS last_s
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s
      AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND protocol = 6 AND (tcp_flags & 18) = 2
    GROUP BY pkt_srcaddr, srcport, pkt_dstaddr, dstport
),
answers AS (
    SELECT DISTINCT pkt_dstaddr AS client, dstport AS client_port, pkt_srcaddr AS server, srcport AS server_port
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s
      AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND protocol = 6 AND (tcp_flags & 18) = 18
)
SELECT opened.pkt_srcaddr AS source,
       opened.pkt_dstaddr AS destination,
       opened.dstport AS destination_port,
       count(*) AS connections,
       CAST(sum(opened.packets) AS BIGINT) AS packets,
       CAST(sum(opened.rejected_packets) AS BIGINT) AS rejected_packets,
       to_timestamp(max(opened.last_s)) AS last_seen
FROM opened
LEFT JOIN answers
  ON answers.client = opened.pkt_srcaddr AND answers.client_port = opened.srcport
 AND answers.server = opened.pkt_dstaddr AND answers.server_port = opened.dstport
WHERE answers.client IS NULL
GROUP BY opened.pkt_srcaddr, opened.pkt_dstaddr, opened.dstport
ORDER BY connections DESC, source, destination, destination_port
LIMIT $limit
