"""The engine's counters by endpoint become samples by load balancer and zone, and the books of the whole gateway.

An endpoint may come to belong to another load balancer, so what each endpoint added since the last sample goes to the
load balancer it belongs to now, or belonged to last.  No I/O, no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.desired import Desired, LoadBalancer, TargetState
from forwarder.inventory import Inventory
from forwarder.telemetry.book_metrics import Books
from forwarder.telemetry.gateway_metrics import Hosts, Sample, Totals


class Samples:
    """Keeps the running totals by load balancer and zone."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str], Totals] = {}
        self._seen: dict[str, Totals] = {}
        self._probes_seen: dict[tuple[str, str], int] = {}

    def take(
        self, time_s: float, counters: EngineCounters, inventory: Inventory, desired: Desired,
        probe_packets: Mapping[tuple[str, str], int],
    ) -> Sample:
        """A sample at `time_s`; `probe_packets` are the prober's running totals by load balancer and zone.

        The prober is another process, whose totals begin at 0 again when it is started again.
        """
        for total in self._totals.values():
            total.flows_active = 0
        seen: dict[str, Totals] = {}
        for name, endpoint in counters.endpoints.items():
            seen[name] = _totals_of(endpoint)
            added = seen[name].since(self._seen.get(name, Totals()))
            if endpoint.load_balancer is not None:
                place = endpoint.load_balancer, endpoint.zone
                self._totals[place] = self._totals.get(place, Totals()) + added
        self._seen = seen
        places = {(balancer.dimension, zone) for balancer in desired.load_balancers for zone in _zones(balancer, inventory)}
        for place in places:
            self._totals.setdefault(place, Totals()).probe_packets += self._probes_added(place, probe_packets.get(place))
        totals = {place: self._totals[place] + Totals() for place in places}
        return Sample(time_s=time_s, totals=totals, hosts=_hosts(desired, inventory))

    def _probes_added(self, place: tuple[str, str], told: int | None) -> int:
        if told is None:  # no probe yet, or the prober's status cannot be read just now
            return 0
        seen = self._probes_seen.get(place, 0)
        self._probes_seen[place] = told
        return told - seen if told >= seen else told


def _zones(balancer: LoadBalancer, inventory: Inventory) -> list[str]:
    found = [inventory.subnet(subnet_id) for subnet_id in balancer.subnet_ids]
    return list(dict.fromkeys(subnet.zone for subnet in found if subnet is not None))


def _hosts(desired: Desired, inventory: Inventory) -> dict[tuple[str, str, str], Hosts]:
    """Healthy and unhealthy targets; those that are initial, draining or unused are neither."""
    hosts: dict[tuple[str, str, str], Hosts] = {}
    for balancer in desired.load_balancers:
        group = balancer.target_group
        if group is None:
            continue
        zones = _zones(balancer, inventory)
        for zone in zones:
            hosts[balancer.dimension, group.dimension, zone] = Hosts()
        for target in group.targets:
            zone = target.zone if target.zone in zones else ""
            count = hosts.setdefault((balancer.dimension, group.dimension, zone), Hosts())
            count.healthy += target.state is TargetState.HEALTHY
            count.unhealthy += target.state is TargetState.UNHEALTHY
    return hosts


def _totals_of(endpoint: EndpointCounters) -> Totals:
    return Totals(
        flows_active=endpoint.active_flows, flows_new=endpoint.new_flows, flows_rejected=endpoint.rejected_flows,
        flows_rejected_tcp=endpoint.rejected_flows_tcp, packets=endpoint.processed_packets,
        bytes=endpoint.processed_bytes,
    )


def books_of(counters: EngineCounters) -> Books:
    """The books of the whole gateway: the sums over its endpoints, also those that are gone."""
    whole = counters.whole
    refused = Counter({str(reason): datagrams for reason, datagrams in whole.refused.items()})
    refused.update({str(reason): datagrams for reason, datagrams in counters.refused_unattributed.items()})
    return Books(
        offered=whole.offered, sent=whole.sent, returned=whole.returned, originated=whole.originated,
        delivered=whole.delivered, unrecorded=whole.unrecorded, without_entry=whole.without_entry,
        dropped={str(reason): packets for reason, packets in whole.dropped.items()}, refused=dict(refused),
    )
