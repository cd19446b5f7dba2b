"""Flow-log bodies and messages for tests and the ingest benchmark: rows numbered in `bytes`, so that each can be found."""

from __future__ import annotations

from collections.abc import Mapping

from gatewatch.bus.message import Draft, Message
from gatewatch.records import topics
from gatewatch.records.flow_log import GATEWATCH_FORMAT

FORMAT = "${version} ${account-id} ${region} ${srcaddr} ${dstaddr} ${bytes} ${start} ${end}"
#: 2026-11-23 01:00:00 UTC.
HOUR_START_S = 1_795_395_600
ORIGIN = "forwarder.0a1b2c3d"


def line(number: int, start_s: int = HOUR_START_S) -> bytes:
    """One record in `FORMAT`."""
    return b"5 123456789012 us-east-1 10.0.%d.%d 203.0.113.7 %d %d %d" % (
        number // 250 % 250, number % 250, number, start_s, start_s + 9
    )


def body(first: int, count: int, start_s: int = HOUR_START_S) -> bytes:
    """`count` records from number `first` on, a second apart each hundred."""
    return b"\n".join(line(number, start_s + (number - first) // 100) for number in range(first, first + count))


def full_line(number: int, start_s: int = HOUR_START_S) -> bytes:
    """One record of all the fields that gatewatch emits, about 300 bytes, as an endpoint's interface writes it."""
    return (
        b"5 123456789012 eni-0a1b2c3d4e5f60718 10.0.%d.%d 203.0.113.%d %d 443 6 %d %d %d %d ACCEPT OK vpc-0a1b2c3d "
        b"subnet-0a1b2c3d - 19 IPv4 10.0.%d.%d 203.0.113.%d us-east-1 use1-az1 - - - - ingress - "
        b"vpce-0a1b2c3d4e5f60718 i-0a1b2c3d4e5f6071%d - use1-az%d"
    ) % (
        number // 250 % 250, number % 250, number % 50, 32_768 + number * 7 % 28_000, 1 + number % 40, number,
        start_s + number % 60, start_s + 60, number // 250 % 250, number % 250, number % 50, number % 3, number % 2 + 1,
    )


def draft(value: bytes, records: int, *, format_string: str = FORMAT) -> Draft:
    """A flow-log message to publish."""
    return Draft(
        topic=topics.FLOW_LOGS, key="eni-1", value=value, records=records, headers={"format": format_string}
    )


def message(
    seq: int, value: bytes, *, topic: str = topics.FLOW_LOGS, origin: str = ORIGIN, records: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Message:
    """A message as a consumer of the embedded bus would have it."""
    return Message(
        topic=topic, key="eni-1", value=value, records=value.count(b"\n") + 1 if records is None else records,
        headers={"format": FORMAT} if headers is None else headers, origin=origin, seq=seq,
        partition=f"{topic}:{origin}", offset=seq,
    )


def benchmark_bodies(messages: int, rows: int) -> list[bytes]:
    """`messages` bodies of `rows` full records each, in gatewatch's own format."""
    assert full_line(1).count(b" ") == GATEWATCH_FORMAT.count(" ")
    return [
        b"\n".join(full_line(index * rows + row) for row in range(rows)) for index in range(messages)
    ]
