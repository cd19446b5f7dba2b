"""Packets of one client's connections, and where the engine sends them."""

from __future__ import annotations

from forwarder.capture.drop_reason import DropReason
from forwarder.engine.engine import Engine
from tests.forwarder.engine.examples import (
    E0,
    ENDPOINTS,
    offer,
)
from tests.forwarder.wire.packets import ACK, SYN, tcp

CLIENT, SERVER = "10.0.1.10", "203.0.113.7"


def syn(port: int) -> bytes:
    return tcp(CLIENT, port, SERVER, 443, SYN)


def data(port: int) -> bytes:
    return tcp(CLIENT, port, SERVER, 443, ACK)


def target_of(made: Engine, packet: bytes, now_s: float = 0.0, endpoint: int = 0) -> str | None:
    """The target a packet is sent to, None if it is refused."""
    sent = offer(made, packet, endpoint=endpoint, now_s=now_s)
    return sent[0][1] if sent else None


def ports_on(made: Engine, address: str, count: int) -> list[int]:
    """Source ports whose flows go to that target; the flows are begun."""
    found = [port for port in range(1, 400) if target_of(made, syn(port)) == address]
    assert len(found) >= count
    return found[:count]


def dropped(made: Engine, endpoint: int = 0) -> dict[DropReason, int]:
    counts = made.counters().endpoints[ENDPOINTS[endpoint]].dropped
    return {reason: packets for reason, packets in counts.items() if reason is not DropReason.NOT_RETURNED}


def is_there(made: Engine, port: int, now_s: float) -> bool:
    """Whether the flow has an entry."""
    before = made.counters().endpoints[E0]
    offer(made, data(port), now_s=now_s)
    after = made.counters().endpoints[E0]
    return (after.without_entry, after.new_flows) == (before.without_entry, before.new_flows)
