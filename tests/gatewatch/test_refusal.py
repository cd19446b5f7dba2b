"""Every error that a person must put right is a `Refusal`, so the front door tells it in one line."""

from __future__ import annotations

import pytest

from forwarder.inventory import BadInventory
from forwarder.lab.lab import NoLab
from forwarder.lab.privilege import BadEnvironment
from forwarder.lab.rules import BadRules
from gatewatch.aws.credentials import BadCredentials
from gatewatch.bus.spool import SpoolHeld
from gatewatch.data_folder import FolderHeld
from gatewatch.database.kind import BadDatabase
from gatewatch.demo.balancer import NoAnswer
from gatewatch.listen_port import PortTaken
from gatewatch.refusal import Refusal
from gatewatch.settings import BadSetting
from ingest.pipeline import IngestHeld
from queries.alarms.alarm import BadAlarm
from queries.lake import QueryFailed

KINDS = [
    BadAlarm, BadCredentials, BadDatabase, BadEnvironment, BadInventory, BadRules, BadSetting, FolderHeld, IngestHeld, NoAnswer,
    NoLab, PortTaken, QueryFailed, SpoolHeld,
]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_refusal(kind: type[Exception]) -> None:
    assert issubclass(kind, Refusal)
