"""An operation that is served: a function, and the input members that it knows what to do with.

A member of AWS's model that is not listed is refused, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forwarder.control.context import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A function and the input members it reads."""

    run: Function
    members: frozenset[str]


#: Operations by service (botocore's name) and name.
Served = Mapping[str, Mapping[str, Operation]]


def operation(run: Function, *members: str) -> Operation:
    """An operation for a table."""
    return Operation(run=run, members=frozenset(members))
