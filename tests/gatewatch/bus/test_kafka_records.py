"""Batches that kafka-python refuses: what is readable comes out, the rest stands in its place, and reading goes on."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c

from gatewatch.bus.kafka_records import PROBLEM, Place, _PartitionRecords

PLACE = TopicPartition("t", 3)
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


class RawName(str):
    """A header name with bytes of one's own choice."""

    raw: bytes

    def encode(self, *_: object) -> bytes:
        return self.raw


def raw_name(raw: bytes) -> RawName:
    name = RawName("raw")
    name.raw = raw
    return name


def batch(base_offset: int, values: list[bytes], *, codec: int = 0, bad_header: int | None = None) -> bytearray:
    """A batch as a broker has it; the record numbered `bad_header` has a header whose name is not UTF-8."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1 << 20,
    )
    for index, value in enumerate(values):
        headers = [(raw_name(b"\xff\xfe"), b"1")] if index == bad_header else [("colour", b"red")]
        builder.append(index, 1_000, b"k", value, headers)
    made = bytearray(builder.build())
    struct.pack_into(">q", made, 0, base_offset)
    return made


def signed(made: bytearray) -> bytearray:
    """The batch with the checksum that its bytes have now."""
    crc = calc_crc32c(bytes(made[DefaultRecordBatch.ATTRIBUTES_OFFSET:]))
    struct.pack_into(">I", made, DefaultRecordBatch.CRC_OFFSET, crc)
    return made


def read(*batches: bytearray, start: int = 0, seen: set[Place] | None = None) -> tuple[list[Any], int]:
    """The records, and the offset wanted next."""
    records = MemoryRecords(b"".join(batches))
    answer = _PartitionRecords(start, PLACE, records, seen=set() if seen is None else seen)
    found = answer.take()
    answer._maybe_raise_next_inline_exception()
    return found, answer.next_fetch_offset


def problems(records: list[Any]) -> list[str]:
    return [dict(record.headers).get(PROBLEM, b"").decode() for record in records]


@pytest.mark.parametrize("codec", [0, GZIP, LZ4, ZSTD])
def test_a_record_with_a_header_name_that_is_no_text_stands_for_itself_alone(codec: int) -> None:
    values = [b"a" * 200, b"b" * 200, b"c" * 200]
    records, following = read(batch(7, values, codec=codec, bad_header=1), batch(10, [b"d"]))
    assert [record.offset for record in records] == [7, 8, 9, 10]
    assert [record.value for record in records if record.offset != 8] == [values[0], values[2], b"d"]
    assert values[1] in records[1].value
    assert b"\xff\xfe" in records[1].value
    assert [bool(problem) for problem in problems(records)] == [False, True, False, False]
    assert "utf-8" in problems(records)[1]
    assert following == 11


def test_a_codec_that_is_not_installed_sets_the_batch_aside_whole() -> None:
    made = batch(7, [b"a", b"b"])
    made[DefaultRecordBatch.ATTRIBUTES_OFFSET + 1] |= SNAPPY
    records, following = read(signed(made), batch(9, [b"c"]))
    assert [record.offset for record in records] == [8, 9]
    assert records[0].value == bytes(made)
    assert "snappy" in problems(records)[0]
    assert "7 to 8" in problems(records)[0]
    assert following == 10


def test_a_batch_that_does_not_unpack_is_set_aside_whole() -> None:
    made = batch(0, [b"a" * 500], codec=GZIP)
    made[-20:] = bytes(20)
    records, following = read(signed(made), batch(1, [b"b"]))
    assert [record.value for record in records] == [bytes(made), b"b"]
    assert following == 2


def test_a_wrong_checksum_is_fetched_again_once_and_then_passed() -> None:
    made, seen = batch(4, [b"a", b"b"]), set[Place]()
    made[-1] ^= 1
    with pytest.raises(CorruptRecordError, match="t:3 at offset 4 has a wrong checksum"):
        read(made, batch(6, [b"c"]), start=4, seen=seen)
    records, following = read(made, batch(6, [b"c"]), start=4, seen=seen)
    assert [(record.offset, record.value) for record in records] == [(5, bytes(made)), (6, b"c")]
    assert "checksum" in problems(records)[0]
    assert following == 7


def test_damage_on_the_way_costs_nothing() -> None:
    made, seen = batch(4, [b"a"]), set[Place]()
    damaged = bytearray(made)
    damaged[-1] ^= 1
    with pytest.raises(CorruptRecordError):
        read(damaged, start=4, seen=seen)
    records, _ = read(made, start=4, seen=seen)
    assert [record.value for record in records] == [b"a"]


@pytest.mark.parametrize("told", [-5, 0, 2_000_000_000])
def test_a_damaged_batch_that_lies_about_its_end_is_passed_step_by_step(told: int) -> None:
    made = batch(4, [b"a", b"b", b"c"])
    struct.pack_into(">i", made, DefaultRecordBatch.ATTRIBUTES_OFFSET + 2, told)
    offset, seen = 4, {("t", 3, 4)}
    for _ in range(3):
        records, following = read(made, start=offset, seen=seen)
        assert [record.offset for record in records] == [following - 1]
        assert following > offset
        offset = following
    assert offset == 7


@given(st.binary(min_size=1, max_size=80), st.integers(0, 120))
def test_whatever_is_in_a_batch_reading_goes_on(noise: bytes, place: int) -> None:
    made = batch(0, [b"value"] * 5)
    begin = min(DefaultRecordBatch.ATTRIBUTES_OFFSET + 40 + place, len(made) - 1)
    made[begin:begin + len(noise)] = noise[:len(made) - begin]
    records, following = read(signed(made), batch(5, [b"next"]))
    assert records[-1].value == b"next"
    assert following == 6
    assert len(records) <= 6
