"""The closed table of conditions: what each means, how bad it is, and what to do.

`docs/reference/conditions.md` is made from it.  Where a condition means that traffic or records are lost there is a default
alarm on its metric (`Gatewatch`/`ConditionActive`, dimension `Condition`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`critical`: traffic or records are lost.  `warning`: they may be soon, or somebody does not see it."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table.  `heading` begins the sentence people see; `alarm`: a default alarm watches it."""

    severity: Severity
    heading: str
    meaning: str
    action: str
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that holds: its code, what it is about in words, since when (epoch seconds, None: not known), and how many
    packets (or datagrams, or messages: `unit`) it has cost since."""

    code: str
    detail: str
    since_s: float | None = None
    packets: int | None = None
    unit: str = "packets refused"

    @property
    def kind(self) -> Kind:
        """Its row of the table."""
        return CONDITIONS[self.code]


def _critical(heading: str, meaning: str, action: str) -> Kind:
    return Kind(severity=Severity.CRITICAL, heading=heading, meaning=meaning, action=action, alarm=True)


def _warning(heading: str, meaning: str, action: str) -> Kind:
    return Kind(severity=Severity.WARNING, heading=heading, meaning=meaning, action=action)


#: In the order in which they are told: what stops traffic first.
CONDITIONS: dict[str, Kind] = {
    "no_service_runs": Kind(
        severity=Severity.CRITICAL, heading="Nothing runs",
        meaning="No service has written its status for five seconds: nothing is forwarded, recorded or evaluated.",
        action="Start `gatewatch up` (or the demo) with this --data; logs/ says how the services ended."),
    "forwarder_silent": _critical(
        "No packet passes", "The forwarder does not write its status: it hangs, was killed, or does not start.",
        "Read logs/forwarder.log; `gatewatch up` starts it again by itself."),
    "device_missing": _critical(
        "Packets cannot be carried", "The device of an endpoint or of a node is not there; it is looked for every second.",
        "Make the device, or take its endpoint or node out of the inventory; `ip -br link` in its namespace shows what there is."),
    "no_load_balancer": _critical(
        "No packet passes", "An endpoint is not connected: no load balancer of its provider VPC has a node in its zone.",
        "Create a gateway load balancer in the provider VPC with a subnet in the endpoint's zone."),
    "no_listener": _critical(
        "No packet passes", "The endpoint's load balancer has no listener.",
        "Create a listener that forwards to a GENEVE target group."),
    "no_target": _critical(
        "No packet passes", "The target group has no target that may take flows: none is registered, or all are draining.",
        "Register targets; `aws elbv2 describe-target-health` shows what there is."),
    "no_target_in_zone": _critical(
        "No packet passes", "The target group has targets, but none in the endpoint's zone, and cross-zone is off.",
        "Register a target in the zone, or set load_balancing.cross_zone.enabled."),
    "no_healthy_target": _critical(
        "Traffic goes to sick targets",
        "No target that the endpoint may use is healthy; as in AWS packets still go to one of them, and may not come back.",
        "The Targets page and `aws elbv2 describe-target-health` give each target's reason."),
    "target_returns_nothing": _critical(
        "A target returns nothing", "A target got packets for half a minute and gave none back, whatever its health check says.",
        "Look at the appliance: is it running, does it allow anything, does it send to the node's address on UDP 6081?"),
    "flow_table_full": _critical(
        "New flows find no room",
        "The flow table is full of flows in use and none could give way: the packets of further flows go to the target that the "
        "target table has for them, but are in no flow record, and move when targets change.",
        "Raise flows_max, or shorten tcp.idle_timeout.seconds."),
    "receive_queue_full": _critical(
        "Packets are lost before they are read", "The kernel dropped packets at an endpoint's socket: more come than are forwarded.",
        "Raise receive_buffer_bytes; give the forwarder a core of its own."),
    "send_failed": _critical(
        "Packets cannot be sent to targets", "The kernel refused outer packets: no route, a device down, a full queue.",
        "Check the node's device, its route and neighbour entry for the target."),
    "deliver_failed": _critical(
        "Packets cannot be handed back", "The kernel refused inner packets on an endpoint's device.",
        "Check the endpoint's device and its MTU (8500)."),
    "prober_silent": _critical(
        "Nobody looks after the targets' health", "The prober does not write its status: targets keep the state they had.",
        "Read logs/health.log; the forwarder starts it again by itself."),
    "disk_full": _critical(
        "The disk is full", "The data folder has no room: what is recorded now waits in memory, then is lost.",
        "Make room; everything goes on by itself."),
    "records_given_up": _critical(
        "Records were lost", "A spool reached spool_bytes_max and gave up its oldest messages.",
        "Find out why the bus or ingest did not take them; raise spool_bytes_max."),
    "ingest_silent": _critical(
        "Nothing new gets into the lake", "Ingest does not write its status; records wait in the spools.",
        "Read logs/ingest.log; `gatewatch up` starts it again by itself."),
    "ingest_stuck": _critical(
        "Nothing new gets into the lake", "Ingest runs and publishes nothing: the bus, the disk or the manifest refuse it.",
        "Its own words are in `gatewatch status`; logs/ingest.log has more."),
    "alarms_silent": _warning(
        "No alarm is evaluated", "The alarms service does not write its status.", "Read logs/alarms.log."),
    "alarms_stuck": _warning(
        "No alarm is evaluated", "The alarms service runs and cannot evaluate.", "Its own words are in `gatewatch status`."),
    "notifications_fail": _warning(
        "Nobody is told of alarms", "The webhook takes no notification; they wait and are tried again.",
        "Check alarm_webhook and what listens there."),
    "api_silent": _warning(
        "The AWS API does not answer", "The API service does not write its status; packets go on.", "Read logs/api.log."),
    "console_silent": _warning(
        "The console does not answer", "The console does not write its status.", "Read logs/console.log."),
    "target_returns_little": _warning(
        "A target returns little", "A target gave back less than a tenth of what it got in half a minute.",
        "What its rules deny is no fault; `gatewatch query eaten_by_appliance` shows which flows it kept."),
    "flows_give_way": _warning(
        "The flow table is full",
        "New flows take the room of others: the oldest half-open ones first, then closed ones, then those idle longest.",
        "`gatewatch query half_open` shows a flood's source; without a flood raise flows_max."),
    "junk_on_6081": _warning(
        "Datagrams on UDP 6081 are refused", "Many datagrams from targets or strangers were refused at a node, by the reason told.",
        "docs/reference/drop-reasons.md has each reason; a target must return header and ports as it got them."),
    "records_incomplete": _warning(
        "Flow records lack packets", "A capture window had more flows than it has room for; SKIPDATA tells which interface.",
        "Raise rejects_max or flows_max, or shorten capture_window_s."),
    "disk_low": _warning(
        "The disk is nearly full", "Less than a twentieth of the data folder's disk is free.", "Make room, or move the data folder."),
    "clock_stepped": _warning(
        "The clock was set", "Records of that moment carry times of two clocks.", "Have the clock slewed (chrony, ntpd), not set."),
    "inventory_unusable": _warning(
        "The inventory cannot be used", "The file is wrong; the one before is used on.", "The sentence names the entry; put it right."),
}


def alarm_name(code: str) -> str:
    """The name of a condition's default alarm."""
    return f"gatewatch-{code.replace('_', '-')}"
