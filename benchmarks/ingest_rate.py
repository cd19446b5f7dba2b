"""Flow-log messages to published Parquet, in rows per second, beside the bare parsing and writing of the same bytes.

    PYTHONPATH=. python benchmarks/ingest_rate.py [--runs 3] [--rows 400000] [--kafka host:port]

Cases, each in every run, in turn: `reference` (pyarrow.csv and write_table on the joined bodies; no bus, no books, no
fsync), `publish` (into the spool, durable), `ingest` (from the embedded bus to committed rows), and with `--kafka`
`relay` (spool to acknowledged by the broker) and `ingest-kafka`.  Goal: ingest at half the reference or better, and over
half a million rows a second.  Figures are medians of the runs; the share of the reference is what ranks, for machines
and their load differ.  A JSON line a case.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import structlog

from gatewatch.bus import Consumer, open_consumer, open_publisher
from gatewatch.records import topics
from gatewatch.records.flow_log import GATEWATCH_FORMAT, fields_of, schema_of
from gatewatch.settings import Settings
from ingest.manifest import Manifest
from ingest.pipeline import Pipeline
from tests.ingest.flow_messages import benchmark_bodies, draft

MESSAGE_ROWS = 200
PUBLISH_MESSAGES = 16
WAIT_S = 60.0


def timed(work: Callable[[], None]) -> float:
    """How long it takes, in seconds."""
    begin = perf_counter()
    work()
    return perf_counter() - begin


def reference(bodies: list[bytes], folder: Path) -> None:
    """The least that turning these bytes into Parquet takes."""
    schema = schema_of(fields_of(GATEWATCH_FORMAT))
    text = pa.dictionary(pa.int32(), pa.string())
    table = csv.read_csv(
        pa.BufferReader(b"\n".join(bodies)),
        read_options=csv.ReadOptions(column_names=schema.names, block_size=4 << 20, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False, escape_char=False),
        convert_options=csv.ConvertOptions(
            column_types={f.name: text if pa.types.is_string(f.type) else f.type for f in schema},
            null_values=["-"], strings_can_be_null=True,
        ),
    )
    pq.write_table(table, folder / "reference.parquet", compression="zstd", compression_level=3, store_schema=False)


def drain(consumer: Consumer, pipeline: Pipeline, settings: Settings, messages: int) -> None:
    """What the service's loop does, without waiting for a batch to fill."""
    taken, until_s = 0, perf_counter() + WAIT_S
    while taken < messages and perf_counter() < until_s:
        found = consumer.poll(settings.ingest_poll_s, settings.ingest_batch_messages_max)
        if found:
            consumer.acknowledge(pipeline.take(found))
            taken += len(found)


def run(bodies: list[bytes], folder: Path, kafka: str | None) -> dict[str, float]:
    """Seconds of every case, once."""
    settings = Settings(data=str(folder), bus=f"kafka://{kafka}" if kafka else "embedded")
    drafts = [draft(body, MESSAGE_ROWS, format_string=GATEWATCH_FORMAT) for body in bodies]
    seconds = {"reference": timed(lambda: reference(bodies, folder))}
    publisher = open_publisher(settings, "forwarder")

    def publish() -> None:
        for first in range(0, len(drafts), PUBLISH_MESSAGES):
            publisher.publish(drafts[first:first + PUBLISH_MESSAGES])

    seconds["publish"] = timed(publish)
    if kafka:
        seconds["relay"] = seconds["publish"] + timed(lambda: publisher.flush(WAIT_S) or _stop("the broker is too slow"))
    pipeline = Pipeline(folder)
    consumer = open_consumer(settings, "benchmark", [topics.FLOW_LOGS], {})
    name = "ingest-kafka" if kafka else "ingest"
    seconds[name] = timed(lambda: drain(consumer, pipeline, settings, len(bodies)))
    consumer.close()
    pipeline.close()
    publisher.close()
    rows = Manifest.open_for_reading(folder).row_count("flow_logs")
    if rows != len(bodies) * MESSAGE_ROWS:
        _stop(f"{rows} rows are in the lake, not {len(bodies) * MESSAGE_ROWS}; with --kafka the topic must be new")
    return seconds


def _stop(why: str) -> None:
    raise SystemExit(why)


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of every case; the median is printed")
    parser.add_argument("--rows", type=int, default=400_000, help="rows of one run")
    parser.add_argument("--kafka", help="host:port of a broker whose topics are empty; one run only")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    bodies = benchmark_bodies(options.rows // MESSAGE_ROWS, MESSAGE_ROWS)
    rows, size = len(bodies) * MESSAGE_ROWS, sum(map(len, bodies))
    runs = []
    for _ in range(1 if options.kafka else options.runs):
        with tempfile.TemporaryDirectory(prefix="gatewatch-bench-") as folder:
            runs.append(run(bodies, Path(folder), options.kafka))
    for case in runs[0]:
        seconds = median(one[case] for one in runs)
        share = median(one["reference"] / one[case] for one in runs)
        print(json.dumps({
            "case": case, "rows": rows, "bytes": size, "runs": len(runs), "cpus": os.cpu_count(),
            "rows_per_s": round(rows / seconds), "mb_per_s": round(size / seconds / 1e6, 1),
            "of_reference": round(share, 2),
        }), flush=True)


if __name__ == "__main__":
    main()
