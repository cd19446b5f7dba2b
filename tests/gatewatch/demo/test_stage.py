"""The end of the stage, without a lab; all else of it is in `tests/end_to_end`."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from forwarder.lab.caretaker import Caretaker
from forwarder.lab.lab import Lab
from gatewatch.demo import stage as module
from gatewatch.demo.stage import Stage
from gatewatch.settings import Settings


class Machine:
    """An appliance, as far as it is ended."""

    name = "appliance-1"


class Machines:
    """A lab of one appliance and no network."""

    appliances = (Machine,)


def test_services_end_in_their_order_though_a_namespace_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(lab: Lab) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/run/netns/gw-client-1")

    stage = Stage(Settings(data=str(tmp_path)), console=False, rate=1.0)
    stage._caretaker = cast("Caretaker", SimpleNamespace(lab=Machines()))
    stopped: list[str] = []
    monkeypatch.setattr(stage.supervisor, "stop", stopped.append)
    monkeypatch.setattr(module, "silence", gone)
    assert stage.drain()
    assert stopped == ["traffic", "forwarder", "appliance-1", "api", "alarms", "ingest"]
