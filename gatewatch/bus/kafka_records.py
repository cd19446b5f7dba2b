"""Kafka record batches in which what cannot be read stands as a record of its own, so that a reader gets past it.

kafka-python raises at the first record that it cannot decode (a header whose name is not UTF-8, a codec that is not
installed, a damaged batch) and raises again at every later try: one such record would stop its partition for ever.  Here
the record, or the whole batch when its parts cannot be told apart, comes out with its raw bytes as the value and the
reason in the header `PROBLEM`; the records around it come out as they are.  A batch whose checksum is wrong is fetched
once more before it is given up, since the damage may have happened on the way.

`read_past` replaces one class of one consumer's fetcher, which is not public in kafka-python 3.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, KafkaError
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.util import decode_varint

#: Name of the header that says why the value is not a message but the raw bytes of one.
PROBLEM = "gatewatch-unreadable"
#: Damaged batches remembered as seen once.
SEEN_MAX = 1_000

#: Topic, partition and first offset of a batch.
Place = tuple[str, int, int]


def read_past(consumer: KafkaConsumer, seen: set[Place]) -> None:
    """Have this consumer read past what it cannot read.  `seen` are the damaged batches met before: keep it."""
    consumer._fetcher.PartitionRecords = partial(_PartitionRecords, seen=seen)


class _PartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What the broker answered for one partition."""

    def __init__(self, fetch_offset: int, place: Any, records: Any, *, seen: set[Place], **options: Any) -> None:
        batches = _Batches(records, fetch_offset, (place.topic, place.partition), seen)
        super().__init__(fetch_offset, place, batches, **options)


class _Batches:
    """The batches of an answer, each readable to its end."""

    def __init__(self, records: Any, fetch_offset: int, partition: tuple[str, int], seen: set[Place]) -> None:
        self._records = records
        self._next_offset = fetch_offset
        self._partition = partition
        self._seen = seen

    def next_batch(self) -> Any:
        """The next one, None after the last; `CorruptRecordError` for one that is damaged and met for the first time."""
        batch = self._records.next_batch()
        # Messages of the formats before 2 are not served by Kafka 4; markers of transactions have no headers.
        if batch is None or batch.magic != 2 or (batch.is_control_batch and batch.validate_crc()):
            return batch
        whole = self._read(batch)
        self._next_offset = max(self._next_offset, whole.next_offset)
        return whole

    def _read(self, batch: Any) -> _Batch:
        raw = batch._buffer  # replaced, not changed, when the batch is unpacked
        if not batch.validate_crc():
            self._meet_again(batch.base_offset)
            return self._unreadable(batch, raw, "its checksum is wrong")
        try:
            return _Batch(batch, list(batch), batch.next_offset)
        # What kafka-python cannot read may fail anywhere in three libraries of codecs, each with errors of its own.
        except Exception as error:
            return self._read_apart(raw, error)

    def _read_apart(self, raw: bytes, why: Exception) -> _Batch:
        batch = DefaultRecordBatch(raw)
        try:
            return _Batch(batch, list(_one_by_one(batch)), batch.next_offset)
        except Exception:  # as above
            return self._unreadable(batch, raw, f"{type(why).__name__}: {why}")

    def _meet_again(self, base_offset: int) -> None:
        place = (*self._partition, base_offset)
        if place in self._seen:
            return
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        self._seen.add(place)
        raise CorruptRecordError(f"the batch of {place[0]}:{place[1]} at offset {base_offset} has a wrong checksum")

    def _unreadable(self, batch: Any, raw: bytes, why: str) -> _Batch:
        # A damaged batch may lie about its end: it has less records than bytes, and what was asked for is in it.
        told = batch.last_offset if 0 <= batch.last_offset_delta < len(raw) else batch.base_offset
        last = max(told, self._next_offset)
        reason = f"the batch of the records {batch.base_offset} to {last} cannot be read: {why}"
        return _Batch(batch, [_unreadable(batch, last, raw, reason)], last + 1)


class _Batch:
    """A batch that has been read; what is not said here is the original's."""

    is_control_batch = False

    def __init__(self, batch: Any, records: list[DefaultRecord], next_offset: int) -> None:
        self.next_offset = next_offset
        self._batch = batch
        self._records = records

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[DefaultRecord]:
        return iter(self._records)

    def validate_crc(self) -> bool:
        """It was validated before it was read."""
        return True


def _one_by_one(batch: Any) -> Iterator[DefaultRecord]:
    """The records by their lengths; an exception when these make no sense."""
    batch._maybe_uncompress()
    buffer, position = batch._buffer, batch._pos
    for _ in range(batch.records_count):
        length, start = decode_varint(buffer, position)
        end = start + length
        if not start < end <= len(buffer):
            raise CorruptRecordError("a record has a length that cannot be")
        batch._pos = position
        try:
            yield batch._read_msg()
        except (ValueError, IndexError, KafkaError) as error:
            yield _unreadable(batch, _offset(batch, buffer, start), bytes(buffer[start:end]), f"a record cannot be read: {error}")
        position = end


def _offset(batch: Any, buffer: Any, start: int) -> int:
    # Attributes, time since the batch's first, offset from the batch's first.
    _, position = decode_varint(buffer, start)
    _, position = decode_varint(buffer, position)
    delta, _ = decode_varint(buffer, position)
    return int(batch.base_offset + delta)


def _unreadable(batch: Any, offset: int, raw: bytes, reason: str) -> DefaultRecord:
    headers = [(PROBLEM, reason.encode(errors="replace"))]
    return DefaultRecord(len(raw), offset, batch.max_timestamp, batch.timestamp_type, None, bytes(raw), headers)
