"""Which attributes a load balancer, a target group and a listener have: key, type, default, allowed values.

The facts are in `attributes.json`; only values that were set are in the store.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib import resources
from typing import Final

import msgspec

LOAD_BALANCER: Final = "loadBalancer"
TARGET_GROUP: Final = "targetGroup"
LISTENER: Final = "listener"


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute.  `allowed` is for `boolean` and `enum`, `minimum` and `maximum` for `integer`.

    `refused_value` is a value AWS takes and gatewatch cannot serve; `refusal` says so to the caller.
    """

    level: str
    key: str
    type: str
    default: str
    allowed: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0
    must_equal: str = ""
    refused_value: str = ""
    refusal: str = ""


@cache
def attributes_of(level: str) -> dict[str, Attribute]:
    """The attributes of a level by key, in the order they are shown."""
    text = resources.files("forwarder.control").joinpath("attributes.json").read_bytes()
    table = msgspec.json.decode(text, type=tuple[Attribute, ...])
    return {attribute.key: attribute for attribute in table if attribute.level == level}


def read_attributes(connection: sqlite3.Connection, level: str, resource_arn: str) -> dict[str, str]:
    """All attributes of a resource: what was set, else the default."""
    values = {key: attribute.default for key, attribute in attributes_of(level).items()}
    rows = connection.execute("SELECT key, value FROM attributes WHERE resource_arn = ?", (resource_arn,))
    values.update({row["key"]: row["value"] for row in rows})
    return values
