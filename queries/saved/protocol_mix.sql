-- title: Protocol mix
-- about: Which protocols and IP versions the traffic is made of.
-- rows: Endpoint interfaces' accepted ingress records: every packet once, when it is handed over.
-- tables: flow_logs
-- column protocol: IANA protocol number
-- column name: its name for the common ones
-- column ip_version: IPv4 or IPv6
-- column bytes: bytes handed over
-- column packets: packets handed over
-- column bytes_percent: share of all bytes
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT protocol,
       CASE protocol WHEN 1 THEN 'ICMP' WHEN 6 THEN 'TCP' WHEN 17 THEN 'UDP' WHEN 47 THEN 'GRE' WHEN 50 THEN 'ESP'
                     WHEN 58 THEN 'ICMPv6' WHEN 132 THEN 'SCTP' ELSE 'other' END AS name,
       type AS ip_version,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       CAST(sum(packets) AS BIGINT) AS packets,
       round(100.0 * sum(bytes) / nullif(sum(sum(bytes)) OVER (), 0), 2) AS bytes_percent
FROM flow_logs
WHERE "start" >= $start_s AND "start" < $end_s
  AND gw_endpoint_id IS NOT NULL AND flow_direction = 'ingress' AND action = 'ACCEPT'
GROUP BY protocol, type
ORDER BY bytes DESC, protocol, ip_version
