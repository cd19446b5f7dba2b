"""What an operation works on: the open transaction, the network, who asks and what time it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forwarder.inventory import Inventory
from gatewatch.aws.call import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One call's surroundings.  `number` gives a new 16-digit hexadecimal number; `now_s` is epoch seconds."""

    connection: sqlite3.Connection
    inventory: Inventory
    account_id: str
    region: str
    caller: Caller
    now_s: float
    number: Callable[[], str]


#: An operation: the model's input members in, its output members out; refusals are `AwsError`.
Function = Callable[[Context, Mapping[str, Any]], dict[str, Any]]
