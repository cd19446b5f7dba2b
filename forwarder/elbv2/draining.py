"""Targets on their way out: a target of a group in use drains, one of a group that is not is gone at once."""

from __future__ import annotations

import sqlite3

from forwarder.target_health import REGISTERING


def forget_draining(connection: sqlite3.Connection, target_group_arn: str) -> None:
    """The group takes no more traffic: nothing is left to drain."""
    connection.execute(
        "DELETE FROM targets WHERE target_group_arn = ? AND deregistered_at_s IS NOT NULL", (target_group_arn,)
    )


def begin_checking(connection: sqlite3.Connection, target_group_arn: str) -> None:
    """The group takes traffic from now on: what was once observed of its targets no longer counts."""
    connection.execute(
        "UPDATE targets SET state = ?, reason = ?, description = ? WHERE target_group_arn = ?",
        (REGISTERING.state, REGISTERING.reason, REGISTERING.description, target_group_arn),
    )
