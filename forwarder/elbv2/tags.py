"""Tags of load balancers, target groups and listeners."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from forwarder.control.context import Context
from gatewatch.aws import arn as arns
from gatewatch.aws.error import AwsError, invalid

#: Tags of one resource, and resources in one call (elbv2 API reference).
TAGS_MAX: Final = 50
RESOURCES_MAX: Final = 20

_TABLES: Final = {
    "load balancer": ("load_balancers", "LoadBalancerNotFound", "Load balancer"),
    "target group": ("target_groups", "TargetGroupNotFound", "Target group"),
    "listener": ("listeners", "ListenerNotFound", "Listener"),
}


def add_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """AddTags; the value of a key that is there is replaced."""
    for arn in _existing(context.connection, parameters["ResourceArns"]):
        _write_tags(context.connection, arn, parameters["Tags"])
    return {}


def remove_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """RemoveTags; a key that is not there is no error."""
    for arn in _existing(context.connection, parameters["ResourceArns"]):
        context.connection.executemany(
            "DELETE FROM tags WHERE resource_arn = ? AND key = ?", [(arn, key) for key in parameters["TagKeys"]]
        )
    return {}


def describe_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTags."""
    descriptions = [
        {
            "ResourceArn": arn,
            "Tags": [{"Key": key, "Value": value} for key, value in read_tags(context.connection, arn).items()],
        }
        for arn in _existing(context.connection, parameters["ResourceArns"])
    ]
    return {"TagDescriptions": descriptions}


def read_tags(connection: sqlite3.Connection, arn: str) -> dict[str, str]:
    """The tags of a resource, ordered by key."""
    rows = connection.execute("SELECT key, value FROM tags WHERE resource_arn = ? ORDER BY key", (arn,))
    return {row["key"]: row["value"] for row in rows}


def write_new_tags(connection: sqlite3.Connection, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """The tags given with a resource's creation."""
    _write_tags(connection, arn, tags)


def forget_resource(connection: sqlite3.Connection, arn: str) -> None:
    """Tags and attributes of a resource that is deleted."""
    connection.execute("DELETE FROM tags WHERE resource_arn = ?", (arn,))
    connection.execute("DELETE FROM attributes WHERE resource_arn = ?", (arn,))


def _write_tags(connection: sqlite3.Connection, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise AwsError("DuplicateTagKeys", "The same tag key is specified more than once")
    reserved = [key for key in keys if key.lower().startswith("aws:")]
    if reserved:
        raise invalid(f"Tag keys cannot begin with 'aws:': {reserved[0]}")
    connection.executemany(
        "INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", [(arn, tag["Key"], tag.get("Value", "")) for tag in tags]
    )
    count = connection.execute("SELECT count(*) FROM tags WHERE resource_arn = ?", (arn,)).fetchone()[0]
    if count > TAGS_MAX:
        raise AwsError("TooManyTags", f"The maximum number of tags is {TAGS_MAX}")


def _existing(connection: sqlite3.Connection, resource_arns: Sequence[str]) -> list[str]:
    if len(resource_arns) > RESOURCES_MAX:
        raise invalid(f"No more than {RESOURCES_MAX} resources can be specified at once")
    unique = list(dict.fromkeys(resource_arns))
    for arn in unique:
        kind = arns.kind(arn)
        if kind is None:
            raise invalid(f"'{arn[:300]}' is not a valid resource ARN")
        table, code, shown = _TABLES[kind]
        if connection.execute(f"SELECT 1 FROM {table} WHERE arn = ?", (arn,)).fetchone() is None:
            raise AwsError(code, f"{shown} '{arn}' not found")
    return unique
