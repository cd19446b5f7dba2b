-- title: Port scans and host sweeps
-- about: Senders of TCP SYNs to many different ports or hosts, and how few of those answered.
-- rows: Endpoint interfaces' ingress records of TCP with a SYN and no SYN-ACK (tcp-flags 2 without 16), refused ones
--   included: what each side that opens connections handed over. Answers are ingress records with SYN-ACK (18).
-- tables: flow_logs
-- column source: packet-level source address
-- column ports: different destination ports tried
-- column hosts: different destination addresses tried
-- column attempts: different pairs of address and port tried
-- column answered: pairs that answered with SYN-ACK
-- column packets: packets sent in those records
-- column first_seen: start of the oldest record
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter attempts_min (integer) = 10: least number of pairs tried
-- parameter limit (integer) = 50: how many senders
WITH tried AS (
    SELECT pkt_srcaddr, pkt_dstaddr, dstport, sum(packets) AS packets, min("start") AS first_s, max("end") AS last_s
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s
      AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND protocol = 6 AND (tcp_flags & 18) = 2
    GROUP BY pkt_srcaddr, pkt_dstaddr, dstport
),
answers AS (
    SELECT DISTINCT pkt_dstaddr AS client, pkt_srcaddr AS server, srcport AS port
    FROM flow_logs
    WHERE "start" >= $start_s AND "start" < $end_s
      AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND protocol = 6 AND (tcp_flags & 18) = 18
)
SELECT tried.pkt_srcaddr AS source,
       count(DISTINCT tried.dstport) AS ports,
       count(DISTINCT tried.pkt_dstaddr) AS hosts,
       count(*) AS attempts,
       count(answers.port) AS answered,
       CAST(sum(tried.packets) AS BIGINT) AS packets,
       to_timestamp(min(tried.first_s)) AS first_seen,
       to_timestamp(max(tried.last_s)) AS last_seen
FROM tried
LEFT JOIN answers
  ON answers.client = tried.pkt_srcaddr AND answers.server = tried.pkt_dstaddr AND answers.port = tried.dstport
GROUP BY tried.pkt_srcaddr
HAVING count(*) >= $attempts_min
ORDER BY attempts DESC, source
LIMIT $limit
