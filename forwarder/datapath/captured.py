"""The engine's window as every data path hands one over."""

from __future__ import annotations

from dataclasses import fields

from forwarder.capture.window import CapturedWindow, Columns
from forwarder.engine.window import AcceptedFlows, RejectedFlows, Window


def captured(window: Window) -> CapturedWindow:
    """The same window; its columns are made when they are read."""
    return CapturedWindow(
        started_s=window.started_s, ended_s=window.ended_s, endpoints=window.endpoints, skipped=window.skipped,
        accepted=lambda: columns_of(window.accepted), rejected=lambda: columns_of(window.rejected),
    )


def columns_of(flows: AcceptedFlows | RejectedFlows) -> Columns:
    """The lists by name."""
    return {column.name: getattr(flows, column.name) for column in fields(flows)}
