"""The forwarder's counters over all its runs in a data folder: each run's status carries on what those before it counted.

A run that is told to stop publishes everything and says `ended` in its last status.  One that was killed says nothing:
what it counted after its last status (a second) is known to nobody, and what it had not published yet (a capture window,
a metrics period) is in no record, though it is counted here.  So the lake lacks it for ever, and the books say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What is carried on of each endpoint (by id) and each target (by id); of `packets` all is.
ENDPOINT_COUNTS = ("offered", "delivered", "frames_other")
TARGET_COUNTS = ("sent_packets", "returned_packets")


def before(previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """The entry `before` of a new run's status, made of the last status of the run before it (None: there was none)."""
    if previous is None:
        return {"runs": 0, "cut_short": 0, "packets": {}, "endpoints": {}, "targets": {}}
    earlier = previous.get("before", {})
    return {
        "runs": earlier.get("runs", 0) + 1,
        "cut_short": earlier.get("cut_short", 0) + (not previous.get("ended", False)),
        "packets": add(earlier.get("packets", {}), previous["packets"]),
        "endpoints": add(earlier.get("endpoints", {}), _counts(previous["endpoints"], "id", ENDPOINT_COUNTS)),
        "targets": add(earlier.get("targets", {}), _counts(previous["targets"], "target_id", TARGET_COUNTS)),
    }


def with_all_runs(status: Mapping[str, Any]) -> dict[str, Any]:
    """The forwarder's status with `packets`, `endpoints` and `targets` counted over all runs."""
    earlier = status.get("before", {})
    return {
        **status,
        "packets": add(earlier.get("packets", {}), status.get("packets", {})),
        "endpoints": _added(status, "endpoints", "id", ENDPOINT_COUNTS),
        "targets": _added(status, "targets", "target_id", TARGET_COUNTS),
    }


def add(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees of counts as one: numbers under the same names are added."""
    total: dict[str, Any] = dict(one)
    for name, value in other.items():
        total[name] = add(total.get(name, {}), value) if isinstance(value, Mapping) else total.get(name, 0) + value
    return total


def _counts(entries: list[dict[str, Any]], key: str, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {entry[key]: {name: entry[name] for name in names} for entry in entries}


def _added(status: Mapping[str, Any], part: str, key: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    earlier = status.get("before", {}).get(part, {})
    return [
        {**entry, **{name: entry[name] + earlier[entry[key]].get(name, 0) for name in names}}
        if entry.get(key) in earlier else dict(entry)
        for entry in status.get(part, [])
    ]
