"""Describe and modify the attributes of load balancers, target groups and listeners."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

from forwarder.control.attribute_table import (
    LISTENER,
    LOAD_BALANCER,
    TARGET_GROUP,
    Attribute,
    attributes_of,
    read_attributes,
)
from forwarder.control.context import Context, Function
from forwarder.elbv2.listeners import listener_row
from forwarder.elbv2.load_balancers import load_balancer_row
from forwarder.elbv2.target_groups import target_group_row
from gatewatch.aws.error import invalid

#: Attributes in one request (elbv2 API reference).
ATTRIBUTES_MAX: Final = 20

_SHOWN_LEVEL: Final = {LOAD_BALANCER: "Load balancer", TARGET_GROUP: "Target group", LISTENER: "Listener"}


def check_attributes(level: str, given: Mapping[str, str]) -> None:
    """Raise `ValidationError` unless every key is known, its value allowed, and its pair given with it."""
    table = attributes_of(level)
    for key, value in given.items():
        if key not in table:
            raise invalid(f"{_SHOWN_LEVEL[level]} attribute key '{key}' is not recognized")
        _check_value(level, table[key], value)
    for key in given:
        other = table[key].must_equal
        if other and (other not in given or given[other] != given[key]):
            raise invalid(
                f"'{key}' and '{other}' must both be specified, and have the same value"
            )


def _check_value(level: str, attribute: Attribute, value: str) -> None:
    if attribute.type == "integer":
        digits = value.isascii() and value.isdigit() and len(value) <= 9
        if not digits or not attribute.minimum <= int(value) <= attribute.maximum:
            raise invalid(
                f"{_SHOWN_LEVEL[level]} attribute '{attribute.key}' must be between"
                f" '{attribute.minimum}-{attribute.maximum}' inclusive, is '{value[:50]}'",
            )
    elif value not in attribute.allowed:
        raise invalid(
            f"{_SHOWN_LEVEL[level]} attribute '{attribute.key}' must be one of [{', '.join(attribute.allowed)}],"
            f" is '{value[:50]}'",
        )
    if attribute.refused_value and value == attribute.refused_value:
        raise invalid(attribute.refusal)


def _given(parameters: Mapping[str, Any]) -> dict[str, str]:
    attributes = parameters["Attributes"]
    if not attributes or len(attributes) > ATTRIBUTES_MAX:
        raise invalid(f"The number of attributes must be between '1-{ATTRIBUTES_MAX}' inclusive")
    for attribute in attributes:
        if not attribute.get("Key") or "Value" not in attribute:
            raise invalid("An attribute must have a key and a value")
    given = {attribute["Key"]: attribute["Value"] for attribute in attributes}
    if len(given) < len(attributes):
        raise invalid("An attribute key is specified more than once")
    return given


def _shown(values: Mapping[str, str]) -> dict[str, Any]:
    return {"Attributes": [{"Key": key, "Value": value} for key, value in values.items()]}


def _describe(level: str, member: str, row: Callable[[sqlite3.Connection, str], sqlite3.Row]) -> Function:
    def describe(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
        arn = row(context.connection, parameters[member])["arn"]
        return _shown(read_attributes(context.connection, level, arn))

    return describe


def _modify(level: str, member: str, row: Callable[[sqlite3.Connection, str], sqlite3.Row]) -> Function:
    def modify(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
        arn = row(context.connection, parameters[member])["arn"]
        given = _given(parameters)
        before = read_attributes(context.connection, level, arn)
        check_attributes(level, given)
        context.connection.executemany(
            "INSERT OR REPLACE INTO attributes VALUES (?, ?, ?)",
            [(arn, key, value) for key, value in given.items() if before[key] != value],
        )
        return _shown({**before, **given})

    return modify


#: DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes and so on: six operations of one shape.
describe_load_balancer_attributes = _describe(LOAD_BALANCER, "LoadBalancerArn", load_balancer_row)
modify_load_balancer_attributes = _modify(LOAD_BALANCER, "LoadBalancerArn", load_balancer_row)
describe_target_group_attributes = _describe(TARGET_GROUP, "TargetGroupArn", target_group_row)
modify_target_group_attributes = _modify(TARGET_GROUP, "TargetGroupArn", target_group_row)
describe_listener_attributes = _describe(LISTENER, "ListenerArn", listener_row)
modify_listener_attributes = _modify(LISTENER, "ListenerArn", listener_row)
