"""What an appliance did with a flow's packets, one JSON object per line on `gatewatch.appliance-access`."""

from __future__ import annotations

import msgspec


class ApplianceAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Packets of one flow, one direction, one verdict, in one interval.  `start` and `end` are epoch milliseconds.

    `action` is `allow`, `deny` or `malformed`; `rule` names the rule that decided.  `bytes` are inner bytes.
    `gw_endpoint_id` and `flow_cookie` are the GENEVE options of the first packet.
    """

    start: int
    end: int
    appliance_id: str
    srcaddr: str
    dstaddr: str
    srcport: int
    dstport: int
    protocol: int
    action: str
    rule: str
    packets: int
    bytes: int
    gw_endpoint_id: str
    flow_cookie: int
