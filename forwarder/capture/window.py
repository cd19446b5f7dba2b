"""A closed capture window: columns of one schema, whichever data path filled them.

`ACCEPTED_FLOWS` has a row for each flow, direction and target that had packets, `REJECTED_FLOWS` for each endpoint, reason and flow
that was refused.  A flow that moved to another target in the window has a row for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from forwarder.plan import EndpointPlan

#: Parallel lists by column.
Columns = Mapping[str, Sequence[Any]]


def _column(name: str, kind: pa.DataType, meaning: str, *, unit: str = "") -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"meaning": meaning, "unit": unit})


ACCEPTED_FLOWS = pa.schema([
    _column("endpoint", pa.string(), "endpoint's id"),
    _column("target_id", pa.string(), "what was registered: instance id or address"),
    _column("target_address", pa.string(), "address GENEVE goes to"),
    _column("target_zone_id", pa.string(), "zone id of the target"),
    _column("entropy_port", pa.uint16(), "outer UDP source port"),
    _column("source_address", pa.string(), "of the inner packet; `-` when it could not be read"),
    _column("destination_address", pa.string(), "of the inner packet; `-` when it could not be read"),
    _column("source_port", pa.uint16(), "0 for protocols without ports, fragments and what could not be read"),
    _column("destination_port", pa.uint16(), "likewise"),
    _column("protocol", pa.uint8(), "IANA number; 0 when it could not be read"),
    _column("ip_version", pa.uint8(), "4, 6, or 0 when it could not be read"),
    _column("ingress_packets", pa.int64(), "handed to the gateway and sent to the target", unit="packets"),
    _column("ingress_bytes", pa.int64(), "of inner IP packets", unit="bytes"),
    _column("ingress_first_s", pa.float64(), "0 without packets", unit="epoch seconds"),
    _column("ingress_last_s", pa.float64(), "0 without packets", unit="epoch seconds"),
    _column("ingress_tcp_flags", pa.uint8(), "all flags seen, as flow records count them"),
    _column("egress_packets", pa.int64(), "returned by the target and delivered", unit="packets"),
    _column("egress_bytes", pa.int64(), "of inner IP packets", unit="bytes"),
    _column("egress_first_s", pa.float64(), "0 without packets", unit="epoch seconds"),
    _column("egress_last_s", pa.float64(), "0 without packets", unit="epoch seconds"),
    _column("egress_tcp_flags", pa.uint8(), "all flags seen, as flow records count them"),
])
REJECTED_FLOWS = pa.schema([
    _column("endpoint", pa.string(), "endpoint's id"),
    _column("reason", pa.string(), "why it was refused: a drop reason"),
    _column("source_address", pa.string(), "of the inner packet; `-` when it could not be read"),
    _column("destination_address", pa.string(), "of the inner packet; `-` when it could not be read"),
    _column("source_port", pa.uint16(), "0 for protocols without ports, fragments and what could not be read"),
    _column("destination_port", pa.uint16(), "likewise"),
    _column("protocol", pa.uint8(), "IANA number; 0 when it could not be read"),
    _column("ip_version", pa.uint8(), "4, 6, or 0 when it could not be read"),
    _column("packets", pa.int64(), "refused", unit="packets"),
    _column("bytes", pa.int64(), "of inner IP packets", unit="bytes"),
    _column("first_s", pa.float64(), "of the first of them", unit="epoch seconds"),
    _column("last_s", pa.float64(), "of the last", unit="epoch seconds"),
    _column("tcp_flags", pa.uint8(), "all flags seen, as flow records count them"),
])


class CapturedWindow:
    """`started_s` to `ended_s` (epoch seconds), `endpoints`, `accepted`, `rejected` and `skipped`.

    `endpoints`: the last plan of every endpoint there was, by id, those included that went meanwhile.  `skipped`: packets by
    endpoint that are in no record (SKIPDATA).  The columns are made when they are first read, by whoever reads them, so closing a
    window takes the packet thread no time.
    """

    def __init__(
        self, *, started_s: float, ended_s: float, endpoints: Mapping[str, EndpointPlan], skipped: Mapping[str, int],
        accepted: Callable[[], Columns], rejected: Callable[[], Columns],
    ) -> None:
        assert started_s <= ended_s
        self.started_s = started_s
        self.ended_s = ended_s
        self.endpoints = endpoints
        self.skipped = skipped
        self._accepted = accepted
        self._rejected = rejected

    @cached_property
    def accepted(self) -> pa.Table:
        """What was sent to targets and came back."""
        return self._table("_accepted", ACCEPTED_FLOWS)

    @cached_property
    def rejected(self) -> pa.Table:
        """What was refused."""
        return self._table("_rejected", REJECTED_FLOWS)

    def _table(self, side: str, schema: pa.Schema) -> pa.Table:
        made = pa.table(dict(getattr(self, side)()), schema=schema)
        delattr(self, side)  # and with it what the columns were made of
        return made
