"""Which resources an audit event is about, read from the ARNs and ids in its parameters and answer.

CloudTrail's "Event history" shows a resource type and name beside each event.  The type names follow CloudFormation's
spelling, as CloudTrail's do where they are known; a record that lists its `resources` itself is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

_ELB = "AWS::ElasticLoadBalancingV2::"
_PATTERNS = (
    (re.compile(r":loadbalancer/(?:gwy|app|net)/([^/\s]+)/[0-9a-f]+"), _ELB + "LoadBalancer"),
    (re.compile(r":listener/(?:gwy|app|net)/[^/\s]+/[0-9a-f]+/([0-9a-f]+)"), _ELB + "Listener"),
    (re.compile(r":targetgroup/([^/\s]+)/[0-9a-f]+"), _ELB + "TargetGroup"),
    (re.compile(r"^(vpce-[0-9a-f]+)$"), "AWS::EC2::VPCEndpoint"),
    (re.compile(r"^(rtb-[0-9a-f]+)$"), "AWS::EC2::RouteTable"),
    (re.compile(r"^(fl-[0-9a-f]+)$"), "AWS::EC2::FlowLog"),
    (re.compile(r"^(vpc-[0-9a-f]+)$"), "AWS::EC2::VPC"),
)
#: Deepest nesting that is looked into; a record is at most 256 KB.
DEPTH_MAX = 12


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """A resource's type and name."""

    type: str
    name: str


def resources_of(record: str) -> list[Resource]:
    """Resources of a CloudTrail record (JSON text), without repetition; none for text that is not a record."""
    try:
        content = msgspec.json.decode(record)
    except msgspec.DecodeError:
        return []
    if not isinstance(content, dict):
        return []
    listed = content.get("resources")
    if isinstance(listed, list) and listed:
        return [_listed(each) for each in listed if isinstance(each, dict)]
    texts = _texts([content.get("requestParameters"), content.get("responseElements")], DEPTH_MAX)
    return list(dict.fromkeys(resource for text in texts for resource in _resources_in(text)))


def _listed(entry: dict[Any, Any]) -> Resource:
    """A resource that the record lists: its type as it stands, and the name that is in its ARN."""
    arn = str(entry.get("ARN", ""))
    named = next(_resources_in(arn), None)
    return Resource(str(entry.get("type") or (named.type if named else "")), named.name if named else arn)


def _resources_in(text: str) -> Iterator[Resource]:
    for pattern, kind in _PATTERNS:
        if found := pattern.search(text):
            yield Resource(kind, found[1])
            return


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth:
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth - 1)
