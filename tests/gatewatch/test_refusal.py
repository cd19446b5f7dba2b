"""Every error that a person must put right is a `Refusal`, so the front door tells it in one line."""

from __future__ import annotations

import pytest

from forwarder.control.store import BadStore
from forwarder.inventory import BadInventory
from forwarder.lab.lab import NoLab
from forwarder.lab.privilege import BadEnvironment
from forwarder.lab.rules import BadRules
from gatewatch.aws.credentials import BadCredentials
from gatewatch.bus.spool import SpoolDamaged, SpoolHeld
from gatewatch.data_folder import FolderHeld
from gatewatch.demo.balancer import NoAnswer
from gatewatch.listen_port import PortTaken
from gatewatch.refusal import Refusal
from gatewatch.settings import BadSetting
from ingest.manifest_writer import ManifestDamaged
from ingest.pipeline import IngestHeld
from queries.alarms.alarm import BadAlarm
from queries.alarms.state import AlarmsDamaged
from queries.lake import QueryFailed

KINDS = [
    BadAlarm, BadCredentials, BadEnvironment, BadInventory, BadRules, BadSetting, BadStore, FolderHeld, IngestHeld, NoAnswer,
    NoLab, ManifestDamaged, AlarmsDamaged, PortTaken, QueryFailed, SpoolDamaged, SpoolHeld,
]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_refusal(kind: type[Exception]) -> None:
    assert issubclass(kind, Refusal)
