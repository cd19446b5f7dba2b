"""Types by name, and that naming them needs no Arrow."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa

from gatewatch.records.arrow_schema import TYPES, arrow_schema


def test_every_type_has_its_arrow_type() -> None:
    schema = arrow_schema({kind: kind for kind in TYPES})
    assert schema.names == list(TYPES)
    assert schema.field("time_ms").type == pa.timestamp("ms", tz="UTC")
    assert arrow_schema({"a": "int64"}) is arrow_schema({"a": "int64"})


def test_tables_are_known_without_arrow() -> None:
    program = "import sys, gatewatch.records.tables as t; print(len(t.FLOW_LOGS.columns) > 50, 'pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
