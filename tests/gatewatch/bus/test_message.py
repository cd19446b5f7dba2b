"""Drafts and messages are values: they cannot change once made."""

from __future__ import annotations

import dataclasses

import pytest

from gatewatch.bus.message import Draft


def test_a_draft_cannot_change() -> None:
    draft = Draft(topic="t", key="k", value=b"v", records=1)
    assert draft.headers == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        draft.topic = "other"  # type: ignore[misc]
