"""The status file is JSON that names every counter others read."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

from forwarder.capture.counters import EndpointCounters, EngineCounters
from forwarder.capture.drop_reason import DropReason
from forwarder.datapath.portable import LoopCounts
from forwarder.forwarder_status import status_of
from forwarder.plan import Plan
from forwarder.ports import Ports
from gatewatch.settings import load


def test_an_empty_gateway_has_a_status() -> None:
    counters = EngineCounters(endpoints={}, targets=[], refused_unattributed={DropReason.RETURN_MALFORMED: 1}, flows=0)
    loop = SimpleNamespace(counters=counters, counts=LoopCounts())
    telemetry = SimpleNamespace(windows=1, records=Counter({"t": 2}), errors=0)
    content = status_of(
        Plan(revision=1), load(environment={}), loop, telemetry, Ports(receive_buffer_bytes=1),  # type: ignore[arg-type]
        revision=3, control_errors=0, before={}, ended=False,
    )
    assert json.loads(json.dumps(content))["packets"]["refused"] == {"return_malformed": 1}
    assert content.keys() >= {"packets", "flows", "endpoints", "targets", "windows", "records", "errors", "revision"}
    assert EndpointCounters().not_returned == 0
