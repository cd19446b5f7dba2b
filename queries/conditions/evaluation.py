"""Which conditions hold: a function of a snapshot and the time.  No I/O, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gatewatch.standing import EndpointStanding, Lately
from gatewatch.status_file import SILENT_AFTER_S
from queries.conditions.condition import CONDITIONS, Condition
from queries.conditions.reading import ServiceStatus, Snapshot

#: Packets a target must have got lately before what it returns says anything, and the share that is little.
SENT_PACKETS_MIN, LITTLE_SHARE = 50, 0.1
#: Refused datagrams at a node lately that are many.
JUNK_DATAGRAMS_MIN = 100
DISK_FULL_BYTES, DISK_LOW_SHARE = 64 << 20, 0.05
#: How long ingest may publish nothing while messages wait, and how long a step of the clock is told.
STUCK_S, CLOCK_TOLD_S = 60.0, 600.0

#: Services whose silence is a condition, and its code; appliances and traffic are the lab's.
_SILENT = {
    "forwarder": "forwarder_silent", "health": "prober_silent", "ingest": "ingest_silent", "alarms": "alarms_silent",
    "api": "api_silent", "console": "console_silent",
}
_WORDS = {
    "no_load_balancer": "{endpoints} not connected to a load balancer",
    "no_listener": "the load balancer of {endpoints} has no listener",
    "no_target": "target group {group} has no target",
    "no_target_in_zone": "target group {group} has no target in zone {zone}, and cross-zone is off",
    "no_healthy_target": "target group {group} has no healthy target",
}
_DROPS = ("receive_queue_full", "send_failed", "deliver_failed")


def evaluate(snapshot: Snapshot, now_s: float) -> list[Condition]:
    """All conditions that hold, in the order of the table; `now_s` is epoch seconds."""
    found = [*_silence(snapshot, now_s), *_disk(snapshot)]
    if not any(condition.code in ("no_service_runs", "forwarder_silent") for condition in found):
        forwarder = snapshot.services.get("forwarder")
        if forwarder is not None:
            found += [*_standing(forwarder), *_lately(forwarder), *_forwarder(forwarder, now_s)]
    for name, service in snapshot.services.items():
        if now_s - service.time < SILENT_AFTER_S:
            found += _records(name, service, snapshot, now_s)
    order = list(CONDITIONS)
    return sorted(found, key=lambda condition: order.index(condition.code))


def _silence(snapshot: Snapshot, now_s: float) -> Iterator[Condition]:
    known = {name: snapshot.services[name].time for name in _SILENT if name in snapshot.services}
    silent = {name: time_s for name, time_s in known.items() if now_s - time_s >= SILENT_AFTER_S}
    if known and len(silent) == len(known):
        yield Condition(code="no_service_runs", detail="no service runs", since_s=max(silent.values()))
        return
    for name, time_s in silent.items():
        yield Condition(code=_SILENT[name], detail=f"{_called(name)} is silent", since_s=time_s)


def _called(service: str) -> str:
    return {"health": "the prober", "api": "the API", "alarms": "the alarms service", "ingest": "ingest"}.get(service, f"the {service}")


def _disk(snapshot: Snapshot) -> Iterator[Condition]:
    free, whole = snapshot.disk_free_bytes, snapshot.disk_bytes
    told = f"{free / (1 << 20):,.0f} MB of the data folder's disk are free"
    if free < min(DISK_FULL_BYTES, whole * DISK_LOW_SHARE):
        yield Condition(code="disk_full", detail=told)
    elif free < whole * DISK_LOW_SHARE:
        yield Condition(code="disk_low", detail=told)


def _standing(forwarder: ServiceStatus) -> Iterator[Condition]:
    groups: dict[tuple[str, str, str], list[EndpointStanding]] = defaultdict(list)
    for each in forwarder.standing:
        zone = each.zone if each.state == "no_target_in_zone" else ""
        groups[each.state, each.target_group, zone].append(each)
    for (state, group, zone), members in groups.items():
        names = [member.endpoint for member in members]
        everything = len(members) == len(forwarder.endpoints)
        words = _WORDS[state].format(
            group=group, zone=zone, endpoints="the endpoint is" if len(names) == 1 and state == "no_load_balancer"
            else "the endpoints are" if state == "no_load_balancer" else "the endpoint" if len(names) == 1 else "the endpoints")
        yield Condition(
            code=state, detail=words if everything else f"{words} (endpoint {', '.join(sorted(names))})",
            since_s=min(member.since_s for member in members), packets=sum(member.packets for member in members),
            unit="packets not returned" if state == "no_healthy_target" else "packets refused",
        )


def _lately(forwarder: ServiceStatus) -> Iterator[Condition]:
    totals = {each.name: each for each in forwarder.lately}
    for reason in _DROPS:
        if one := totals.get(f"dropped {reason}"):
            yield Condition(code=reason, detail=f"{one.added:,} in the last half minute", since_s=one.since_s, packets=one.added,
                            unit="packets dropped lately")
    if one := totals.get("without_entry"):
        yield Condition(code="flow_table_full", detail=f"{one.added:,} packets in the last half minute", since_s=one.since_s,
                        packets=one.added, unit="packets forwarded without an entry lately")
    if one := totals.get("unrecorded"):
        yield Condition(code="records_incomplete", detail=f"{one.added:,} packets in the last half minute", since_s=one.since_s)
    yield from _giving_way(totals)
    yield from _targets(totals)
    yield from _junk(totals)


def _giving_way(totals: dict[str, Lately]) -> Iterator[Condition]:
    gave_way = {name.removeprefix("gave_way "): one for name, one in totals.items() if name.startswith("gave_way ")}
    if gave_way:
        told = ", ".join(f"{one.added:,} {name.replace('_', '-')}" for name, one in sorted(gave_way.items()))
        yield Condition(code="flows_give_way", detail=f"{told} flows gave way in the last half minute",
                        since_s=min(one.since_s for one in gave_way.values()))


def _targets(totals: dict[str, Lately]) -> Iterator[Condition]:
    for name, sent in totals.items():
        if not name.startswith("sent ") or sent.added < SENT_PACKETS_MIN:
            continue
        target = name.removeprefix("sent ")
        back = totals.get(f"returned {target}")
        returned = back.added if back else 0
        detail = f"target {target} gave back {returned:,} of {sent.added:,} packets in the last half minute"
        if not returned:
            yield Condition(code="target_returns_nothing", detail=detail, packets=sent.added, unit="packets not returned lately")
        elif returned < LITTLE_SHARE * sent.added:
            yield Condition(code="target_returns_little", detail=detail)


def _junk(totals: dict[str, Lately]) -> Iterator[Condition]:
    nodes: dict[str, list[tuple[str, Lately]]] = defaultdict(list)
    for name, one in totals.items():
        if name.startswith("refused "):
            _, node, reason = name.split(" ")
            nodes[node].append((reason, one))
    for node, reasons in nodes.items():
        datagrams = sum(one.added for _, one in reasons)
        if datagrams >= JUNK_DATAGRAMS_MIN:
            told = ", ".join(f"{reason} {one.added:,}" for reason, one in sorted(reasons, key=lambda each: -each[1].added))
            yield Condition(code="junk_on_6081", detail=f"at node {node}: {told}", since_s=min(one.since_s for _, one in reasons),
                            packets=datagrams, unit="datagrams refused lately")


def _forwarder(forwarder: ServiceStatus, now_s: float) -> Iterator[Condition]:
    if forwarder.devices_missing:
        yield Condition(code="device_missing", detail="; ".join(forwarder.devices_missing.values()))
    if forwarder.inventory_problem:
        yield Condition(code="inventory_unusable", detail=forwarder.inventory_problem)
    stepped_s = forwarder.clock_stepped_at_s
    if stepped_s is not None and abs(now_s - stepped_s) < CLOCK_TOLD_S:
        yield Condition(code="clock_stepped", detail=f"by {forwarder.clock_stepped_by_s:+,.1f} s", since_s=stepped_s)


def _records(name: str, service: ServiceStatus, snapshot: Snapshot, now_s: float) -> Iterator[Condition]:
    given_up = sum(topic.given_up for topic in service.topics)
    if given_up:
        yield Condition(code="records_given_up", detail=f"the spool of {_called(name)} was full", packets=given_up, unit="messages lost")
    if name == "ingest":
        yield from _ingest(service, snapshot, now_s)
    if name == "alarms":
        if service.last_problem:
            yield Condition(code="alarms_stuck", detail=service.last_problem)
        if service.notifications.waiting and service.notifications.failed_attempts:
            yield Condition(code="notifications_fail", detail=f"{service.notifications.waiting:,} wait")


def _ingest(ingest: ServiceStatus, snapshot: Snapshot, now_s: float) -> Iterator[Condition]:
    held = sum(topic.held for service in snapshot.services.values() for topic in service.topics)
    if ingest.problem:
        yield Condition(code="ingest_stuck", detail=ingest.problem)
    elif held and ingest.last_commit_s and now_s - ingest.last_commit_s > STUCK_S:
        yield Condition(code="ingest_stuck", detail=f"{held:,} messages wait", since_s=ingest.last_commit_s)
