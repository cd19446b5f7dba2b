-- title: How targets' health went
-- about: Every change of a target's health, oldest first, with how long the target stayed in the new state.
-- rows: Health changes, one line each.
-- tables: target_health
-- column time: when it changed, UTC
-- column target: target id
-- column target_group: target group (targetgroup/name/id)
-- column zone: the target's zone
-- column from_state: state before
-- column to_state: state after
-- column reason: AWS's reason code; empty when healthy
-- column description: the reason in words
-- column until: when it changed again; null while it lasts
-- parameter start_s (number): start of the time range, epoch seconds, included
-- parameter end_s (number): end of the time range, epoch seconds, not included
-- parameter target (text) = : only this target; empty for all
SELECT "time",
       target_id AS target,
       target_group,
       availability_zone AS zone,
       previous_state AS from_state,
       state AS to_state,
       reason,
       description,
       lead("time") OVER (PARTITION BY load_balancer, target_group, target_id ORDER BY "time", sequence) AS until
FROM target_health
WHERE "time" >= to_timestamp($start_s) AND "time" < to_timestamp($end_s) AND ($target = '' OR target_id = $target)
ORDER BY "time", sequence, target, target_group
