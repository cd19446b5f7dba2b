"""What an appliance does with a packet, without any I/O: read GENEVE, decide, count.

Operations: inspect one datagram; take what was seen since the last time, for the access log.
Goals: a dictionary look-up per packet of a known flow; memory bounded whatever arrives.
Plan: one entry per flow and direction.  The first packet seen of a flow asks the rules, its answers inherit the
verdict; a TCP SYN asks again, so that a flow first seen in the middle cannot keep a wrong one.  Entries live in two
generations: a look-up moves an entry to the young one, and when that is full, or a generation's time is over, the old
one is forgotten.  So an entry lives at least `GENERATION_MS` after its last packet unless there are too many flows.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from forwarder.lab.rules import Opening, Rules, Verdict
from forwarder.wire.geneve_codec import decapsulate
from forwarder.wire.inner_packet import OTHER, TCP, classify
from forwarder.wire.malformed_packet import MalformedPacket
from gatewatch.records.appliance_access import ApplianceAccess

#: Flows and directions in one generation; there are two.
ENTRIES_MAX = 100_000
GENERATION_MS = 350_000
#: Sources of malformed packets told apart between two readings; the rest are told as `-`.
MALFORMED_SOURCES_MAX = 256
_SYN = 2
_KINDS = (b"\x06", b"\x11", b"")


class Entry:
    """A flow in one direction: its verdict and what was seen since the last reading.  Times are epoch milliseconds."""

    __slots__ = ("bytes", "cookie", "endpoint_number", "first_ms", "last_ms", "opening", "packets", "verdict")

    def __init__(self, opening: Opening, verdict: Verdict) -> None:
        self.opening = opening
        self.verdict = verdict
        self.packets = self.bytes = self.first_ms = self.last_ms = self.endpoint_number = self.cookie = 0


class Seen(NamedTuple):
    """A line of the access log before it is written."""

    start_ms: int
    end_ms: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    protocol: int
    action: str
    rule: str
    packets: int
    bytes: int
    endpoint_number: int
    cookie: int


class Inspector:
    """Decides packet by packet; received = allowed + denied + malformed.

    Public counts: `received`, `allowed`, `denied`, `malformed` (by reason) and `entries_forgotten` (flows dropped from
    the table to make room, which says that it is too small).
    """

    def __init__(self, rules: Rules, *, entries_max: int = ENTRIES_MAX) -> None:
        self.received = 0
        self.allowed = 0
        self.denied = 0
        self.malformed: dict[str, int] = {}
        self.entries_forgotten = 0
        self._rules = rules
        self._entries_max = entries_max
        self._young: dict[bytes, Entry] = {}
        self._old: dict[bytes, Entry] = {}
        self._turned_ms = 0
        self._touched: list[Entry] = []
        self._malformed_seen: dict[tuple[str, bytes], list[int]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def inspect(self, payload: bytes, source: bytes, time_ms: int) -> bool:
        """Whether this UDP payload, sent by `source`, goes back; False when it is denied or malformed."""
        self.received += 1
        try:
            header = decapsulate(payload)
            kind, key, length, flags = classify(payload[header.inner_offset:])
        except MalformedPacket as error:
            self._count_malformed(error.reason, source, time_ms, len(payload))
            return False
        key = _KINDS[kind] + key
        entry = self._young.get(key)
        if entry is None or flags == _SYN:
            entry = self._find(kind, key, flags, time_ms)
        if entry.packets == 0:
            entry.first_ms = time_ms
            entry.endpoint_number = header.endpoint_number
            entry.cookie = header.cookie
            self._touched.append(entry)
        entry.packets += 1
        entry.bytes += length
        entry.last_ms = time_ms
        if entry.verdict.allowed:
            self.allowed += 1
            return True
        self.denied += 1
        return False

    def take_seen(self) -> list[Seen]:
        """What was seen since the last call: a line for each flow, direction and verdict."""
        touched, self._touched = self._touched, []
        lines = [_seen(entry) for entry in touched]
        for entry in touched:
            entry.packets = entry.bytes = 0
        for (reason, source), (first, last, packets, size) in self._malformed_seen.items():
            lines.append(Seen(first, last, source, b"", 0, 0, 0, "malformed", reason, packets, size, 0, 0))
        self._malformed_seen.clear()
        return lines

    def _find(self, kind: int, key: bytes, flags: int, time_ms: int) -> Entry:
        """The entry of a flow not in the young generation, or opened anew."""
        self._turn_generation(time_ms)
        known = self._young.get(key) or self._old.get(key)
        opening = _opening(kind, key)
        if flags == _SYN and kind == TCP:
            verdict = self._rules.decide(opening)
            self._inherit(_reverse(kind, key), verdict)
        elif known is not None:
            verdict = known.verdict
        else:
            answer_to = _reverse(kind, key)
            other = self._young.get(answer_to) or self._old.get(answer_to)
            verdict = other.verdict if other else self._rules.decide(opening)
        # A new verdict needs a new entry: the one being counted keeps the verdict its packets had.
        entry = known if known is not None and known.verdict == verdict else Entry(opening, verdict)
        self._old.pop(key, None)
        self._young[key] = entry
        return entry

    def _inherit(self, key: bytes, verdict: Verdict) -> None:
        for generation in (self._young, self._old):
            if key in generation and generation[key].verdict != verdict:
                generation[key] = Entry(generation[key].opening, verdict)

    def _turn_generation(self, time_ms: int) -> None:
        full = len(self._young) >= self._entries_max
        if full or time_ms - self._turned_ms >= GENERATION_MS:
            if full:
                self.entries_forgotten += len(self._old)
            self._old, self._young = self._young, {}
            self._turned_ms = time_ms

    def _count_malformed(self, reason: str, source: bytes, time_ms: int, size: int) -> None:
        self.malformed[reason] = self.malformed.get(reason, 0) + 1
        key = (reason, source)
        if key not in self._malformed_seen and len(self._malformed_seen) >= MALFORMED_SOURCES_MAX:
            key = (reason, b"")
        seen = self._malformed_seen.setdefault(key, [time_ms, time_ms, 0, 0])
        seen[1] = time_ms
        seen[2] += 1
        seen[3] += size


def access_record(seen: Seen, appliance_id: str) -> ApplianceAccess:
    """The line as the bus carries it.  A malformed packet has no inner addresses: its sender's is told."""
    known = seen.action != "malformed"
    return ApplianceAccess(
        start=seen.start_ms, end=seen.end_ms, appliance_id=appliance_id, srcaddr=_text(seen.source),
        dstaddr=_text(seen.destination), srcport=seen.source_port, dstport=seen.destination_port,
        protocol=seen.protocol, action=seen.action, rule=seen.rule, packets=seen.packets, bytes=seen.bytes,
        gw_endpoint_id=f"vpce-0{seen.endpoint_number:016x}" if known else "-", flow_cookie=seen.cookie,
    )


def _text(address: bytes) -> str:
    return str(ip_address(address)) if address else "-"


def _seen(entry: Entry) -> Seen:
    opening = entry.opening
    return Seen(
        entry.first_ms, entry.last_ms, opening.source, opening.destination, opening.source_port,
        opening.destination_port, opening.protocol, "allow" if entry.verdict.allowed else "deny", entry.verdict.rule,
        entry.packets, entry.bytes, entry.endpoint_number, entry.cookie,
    )


def _opening(kind: int, key: bytes) -> Opening:
    """The parts of a key: protocol, addresses, and the ports where it has some."""
    if kind == OTHER:
        half = (len(key) - 1) // 2
        return Opening(key[0], key[1:1 + half], key[1 + half:], 0, 0)
    half = (len(key) - 5) // 2
    ports = key[-4:]
    return Opening(key[0], key[1:1 + half], key[1 + half:1 + 2 * half],
                   int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big"))


def _reverse(kind: int, key: bytes) -> bytes:
    """The key of the packets that answer."""
    if kind == OTHER:
        half = (len(key) - 1) // 2
        return key[:1] + key[1 + half:] + key[1:1 + half]
    half = (len(key) - 5) // 2
    return key[:1] + key[1 + half:1 + 2 * half] + key[1:1 + half] + key[-2:] + key[-4:-2]
