-- title: What appliances denied, by rule
-- about: The appliances' own word on what they did not let through; compare with eaten_by_appliance, which is what the
--   gateway saw.
-- rows: Appliance access records whose action is not allow; each packet once, as the appliance received it.
-- tables: appliance_access
-- column appliance: the appliance's name
-- column rule: the rule that decided
-- column action: deny, or malformed for what could not be read
-- column packets: packets
-- column bytes: inner bytes
-- column sources: different source addresses
-- column last_seen: end of the newest record
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
SELECT appliance_id AS appliance,
       rule,
       action,
       CAST(sum(packets) AS BIGINT) AS packets,
       CAST(sum(bytes) AS BIGINT) AS bytes,
       count(DISTINCT srcaddr) AS sources,
       max("end") AS last_seen
FROM appliance_access
WHERE "start" >= to_timestamp($start_s) AND "start" < to_timestamp($end_s) AND action <> 'allow'
GROUP BY appliance_id, rule, action
ORDER BY packets DESC, appliance, rule, action
