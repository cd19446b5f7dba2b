"""What an appliance did with a flow's packets, one JSON object per line on `gatewatch.appliance-access`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gatewatch.records.domain import Count, EpochMs, Name, Octet, Port


class ApplianceAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Packets of one flow, one direction, one verdict, in one interval.  `start` and `end` are epoch milliseconds.

    `action` is `allow`, `deny` or `malformed`; `rule` names the rule that decided.  `bytes` are inner bytes.
    `gw_endpoint_id` and `flow_cookie` are the GENEVE options of the first packet.
    """

    start: EpochMs
    end: EpochMs
    appliance_id: Name
    srcaddr: str
    dstaddr: str
    srcport: Port
    dstport: Port
    protocol: Octet
    action: Annotated[str, Meta(pattern="^(allow|deny|malformed)$")]
    rule: str
    packets: Count
    bytes: Count
    gw_endpoint_id: str
    flow_cookie: Annotated[int, Meta(ge=0, lt=1 << 32)]
