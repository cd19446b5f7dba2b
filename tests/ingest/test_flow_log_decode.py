"""Flow-log lines to rows: the fast way and the slow way agree on every line, and no line takes another with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.records.flow_log import DEFAULT_FORMAT, Field, fields_of, format_of
from ingest import flow_log_decode
from ingest.flow_log_decode import BadLine, decode, read_fast, read_slowly, reason_against

FORMAT = "${version} ${instance-id} ${bytes} ${start}"
FIELDS = fields_of(FORMAT)

DOMAINS = Path(__file__).parents[1] / "fixtures/flow_logs/domains.json"
#: A record with every field that has a domain.
RECORD = {
    "version": "5", "srcaddr": "10.0.0.1", "dstaddr": "2001:db8::1", "srcport": "40000", "dstport": "443", "protocol": "6",
    "packets": "3", "bytes": "180", "start": "1764210000", "end": "1764210010", "action": "ACCEPT", "log-status": "OK",
    "tcp-flags": "19", "type": "IPv4", "pkt-srcaddr": "10.0.0.1", "pkt-dstaddr": "203.0.113.7",
    "flow-direction": "ingress", "traffic-path": "8", "encryption-status": "0",
}
GOOD = " ".join(RECORD.values()).encode()


def test_dashes_are_null_and_order_is_kept() -> None:
    table, bad = decode(FORMAT, [b"5 10.0.0.1 7 100\n5 - - 101", b"5 10.0.0.2 9 102\n"])
    assert bad == []
    assert table.to_pylist() == [
        {"version": 5, "instance_id": "10.0.0.1", "bytes": 7, "start": 100},
        {"version": 5, "instance_id": None, "bytes": None, "start": 101},
        {"version": 5, "instance_id": "10.0.0.2", "bytes": 9, "start": 102},
    ]


def test_a_nodata_record_of_the_guide_is_a_row() -> None:
    record = b"2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA"
    table, bad = decode(DEFAULT_FORMAT, [record])
    assert bad == []
    row = table.to_pylist()[0]
    assert (row["log_status"], row["start"], row["srcaddr"], row["packets"]) == ("NODATA", 1431280876, None, None)


def test_bad_lines_are_set_aside_with_reason_number_and_bytes() -> None:
    bodies = [b"5 a 1 1", b"5 b 2 2\nbroken\n\n5 c x 3\n5 d 4 4", b"5 e 5 5"]
    table, bad = decode(FORMAT, bodies)
    assert table.column("instance_id").to_pylist() == ["a", "b", "d", "e"]
    assert bad == [
        BadLine(message=1, line=2, reason="1 fields where the format has 4", record=b"broken"),
        BadLine(message=1, line=4, reason="bytes is not an integer", record=b"5 c x 3"),
    ]


@pytest.mark.parametrize(("line", "reason"), [
    (b"5 a 1 1", None),
    (b"- - - -", None),
    (b"05 a 007 -0", None),
    (b"5 a 1", "3 fields where the format has 4"),
    (b" ", "2 fields where the format has 4"),
    (b"5 a 1 1 ", "5 fields where the format has 4"),
    (b"5  1 1", "instance-id is empty"),
    (b"5 a +1 1", "bytes is not an integer"),
    (b"5 a 0x1F 1", "bytes is not an integer"),
    (b"5 a 1\t 1", "bytes is not an integer"),
    (b"5 a 1.0 1", "bytes is not an integer"),
    (b"2147483648 a 1 1", "version does not fit int32"),
    (b"5 a 9223372036854775808 1", "bytes does not fit int64"),
    (b"5 a 9223372036854775807 1", None),
    (b"5 a " + b"0" * 5_000 + b"1 1", None),
    (b"5 a " + b"9" * 5_000 + b" 1", "bytes does not fit int64"),
    (b"5 \xff 1 1", "instance-id is not UTF-8"),
    (b"5 a 1 -1", "start is not between the years 1970 and 2100"),
    (b"5 a 1 4102444800", "start is not between the years 1970 and 2100"),
    (b"\xef\xbb\xbf5 a 1 1", "version is not an integer"),
    (b"-5 a 1 1", "version is not between 1 and 255"),
    (b"5 a -40 1", "bytes is not 0 or more"),
])
def test_the_rule(line: bytes, reason: str | None) -> None:
    assert reason_against(FIELDS, line) == reason
    table, bad = decode(FORMAT, [line])
    assert [entry.reason for entry in bad] == ([] if reason is None else [reason])
    assert (table is None) == (reason is not None)


@pytest.mark.parametrize("example", json.loads(DOMAINS.read_text()), ids=lambda each: each["about"])
def test_every_fields_domain(example: dict[str, str]) -> None:
    record = RECORD | example["values"]
    names = list(RECORD)
    line = " ".join(record[name] for name in names).encode()
    form = format_of(names)
    assert reason_against(fields_of(form), line) == example["reason"]
    table, bad = decode(form, [b"\n".join([GOOD, line, GOOD])])
    assert [entry.reason for entry in bad] == ([] if example["reason"] is None else [example["reason"]])
    assert table.num_rows + len(bad) == 3
    assert (read_fast(fields_of(form), [GOOD, line]) is None) == (example["reason"] is not None)


def test_a_format_that_is_none_rejects_every_line() -> None:
    table, bad = decode("${colour}", [b"a\n\nb", b"c"])
    assert table is None
    assert [(entry.message, entry.line, entry.record) for entry in bad] == [(0, 1, b"a"), (0, 3, b"b"), (1, 1, b"c")]
    assert "no flow-log field named 'colour'" in bad[0].reason


def test_messages_without_lines_are_nothing() -> None:
    assert decode(FORMAT, []) == (None, [])
    assert decode(FORMAT, [b"", b"\n", b"\r\n\n"]) == (None, [])


def test_one_bad_line_among_many_messages_costs_its_own_message_only(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: list[bytes] = []

    def noted(fields: object, body: bytes) -> object:
        slow.append(body)
        return read_slowly(FIELDS, body)

    monkeypatch.setattr(flow_log_decode, "read_slowly", noted)
    bodies = [b"5 a %d 1" % number for number in range(100)]
    bodies[37] = b"5 a bad 1"
    table, bad = decode(FORMAT, bodies)
    assert slow == [b"5 a bad 1"]
    assert table.column("bytes").to_pylist() == [number for number in range(100) if number != 37]
    assert [entry.message for entry in bad] == [37]


_VALUE = st.one_of(
    st.integers(-10, 1 << 65).map(lambda number: str(number).encode()),
    st.sampled_from([
        b"-", b"", b"0x1f", b"\t5", b"5\t", b"+1", b"1.5", b"-0", b"--1", b'"', b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80",
        b"null", b"NaN", b"\x0b1", b"\\", b"1\r", b"\r", b"\n", b"4102444799", b"4102444800",
    ]),
    st.text(max_size=4).map(lambda text: text.encode()),
    st.binary(max_size=3),
)
_LINE = st.one_of(
    st.tuples(st.just(b"5"), st.just(b"10.0.0.1"), st.integers(0, 99).map(lambda n: b"%d" % n), st.just(b"7")),
    st.lists(_VALUE, min_size=3, max_size=5), st.just((b"", b"")), st.just((b"", b"", b"", b"")),
).map(b" ".join)
_BODY = st.lists(_LINE, max_size=5).flatmap(
    lambda lines: st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"]).map(lambda end: end.join(lines))
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_BODY, max_size=4))
def test_fast_and_slow_ways_agree_line_by_line(bodies: list[bytes]) -> None:
    agree(FIELDS, FORMAT, bodies)


_DOMAIN_VALUE = st.one_of(
    st.sampled_from(["-", "0", "-1", "255", "256", "65535", "65536", "1764210009", "10.0.0.1", "999.1.1.1", "1.2.3", "::1", "fe80::1%e",
                     "01.2.3.4", "10.0.0.1/8", "ACCEPT", "accept", "OK", "ok", "IPv4", "ingress", "é"]),
    st.sampled_from(list(RECORD.values())),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(
    st.one_of(st.just(list(RECORD.values())), st.lists(_DOMAIN_VALUE, min_size=len(RECORD), max_size=len(RECORD)),
              st.tuples(st.integers(0, len(RECORD) - 1), _DOMAIN_VALUE).map(
                  lambda change: [change[1] if place == change[0] else value for place, value in enumerate(RECORD.values())])),
    max_size=4), max_size=3))
def test_fast_and_slow_ways_agree_on_domains(messages: list[list[list[str]]]) -> None:
    bodies = ["\n".join(map(" ".join, lines)).encode() for lines in messages]
    form = format_of(list(RECORD))
    agree(fields_of(form), form, bodies)


def agree(fields: list[Field], form: str, bodies: list[bytes]) -> None:
    """Decoding all at once gives what reading each line by the rule gives."""
    table, bad = decode(form, bodies)
    rows, reasons = [], []
    for index, body in enumerate(bodies):
        part, refused = read_slowly(fields, body)
        rows += part.to_pylist()
        reasons += [BadLine(message=index, line=line, reason=reason, record=record) for line, reason, record in refused]
    assert ([] if table is None else table.to_pylist()) == rows
    assert bad == reasons
    assert len(rows) + len(bad) == sum(1 for body in bodies for line in body.splitlines() if line)
    fast = read_fast(fields, bodies)
    assert fast is None or fast.to_pylist() == rows
