"""Every operation is a function of a context and parameters, and says what it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from forwarder.control.context import Context


def test_a_context_cannot_be_changed_by_an_operation(api: Any, inventory: Any) -> None:
    with api.store.reading() as connection:
        context = Context(
            connection=connection, inventory=inventory, account_id="1", region="r", caller=None,  # type: ignore[arg-type]
            now_s=0.0, number=lambda: "0" * 16,
        )
        with pytest.raises(dataclasses.FrozenInstanceError):
            context.now_s = 1.0  # type: ignore[misc]
