"""A call's audit event, made from the call and its outcome, and put in the outbox of the same transaction."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from forwarder.control.identity import user_arn
from gatewatch.aws import arn as arns
from gatewatch.aws.call import Call
from gatewatch.aws.error import AwsError
from gatewatch.aws.services import SERVICES
from gatewatch.records.audit_event import (
    EVENT_VERSION,
    TEXT_CHARACTERS_MAX,
    AuditEvent,
    Resource,
    UserIdentity,
    elements,
    event_time,
    is_read,
)

#: Resource types as CloudFormation spells them; CloudTrail's own spelling of these is not documented.
_TYPES: Final = {
    "load balancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "target group": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "listener": "AWS::ElasticLoadBalancingV2::Listener",
}

#: Resources named in one record.
RESOURCES_MAX: Final = 20


def audit_event(
    call: Call, *, result: Mapping[str, Any], error: AwsError | None, account_id: str, region: str, now_s: float
) -> AuditEvent:
    """The record of a call that was answered with `result`, or with `error`."""
    service = SERVICES[call.service]
    read_only = is_read(call.operation)
    return AuditEvent(
        event_version=EVENT_VERSION,
        user_identity=UserIdentity(
            # gatewatch has no user ids like AIDA…; the access key stands for its user.
            principal_id=call.caller.access_key_id,
            arn=user_arn(account_id, call.caller.user_name),
            account_id=account_id,
            access_key_id=call.caller.access_key_id,
            user_name=call.caller.user_name,
        ),
        event_time=event_time(now_s),
        event_source=service.event_source,
        event_name=call.operation,
        aws_region=region,
        source_ip_address=call.caller.source_ip_address,
        user_agent=call.caller.user_agent[:TEXT_CHARACTERS_MAX],
        error_code=_error_code(service.name, error),
        error_message=error.message[:TEXT_CHARACTERS_MAX] if error else "",
        request_parameters=elements(call.parameters),
        response_elements=None if read_only or error else elements(result),
        request_id=call.request_id,
        event_id=str(uuid.uuid4()),
        read_only=read_only,
        resources=_resources(call.parameters, {} if read_only else result, account_id),
        event_type="AwsApiCall",
        api_version=service.version,
        management_event=True,
        recipient_account_id=account_id,
        event_category="Management",
    )


def put_in_outbox(connection: sqlite3.Connection, record: bytes) -> None:
    """Append a record; it gets the next number without a gap, since a rolled back transaction gives its number back."""
    connection.execute("INSERT INTO audit_outbox (record) VALUES (?)", (record,))


def _error_code(service_name: str, error: AwsError | None) -> str:
    if error is None:
        return ""
    if service_name == "ec2":
        return ("Client." if error.status < 500 else "Server.") + error.code
    return error.code


def _resources(parameters: Mapping[str, Any], result: Mapping[str, Any], account_id: str) -> tuple[Resource, ...]:
    found = dict.fromkeys([*_texts(parameters), *_texts(result)])
    resources = [
        Resource(arn=text, account_id=account_id, type=_TYPES[kind])
        for text in found if text.startswith("arn:") and (kind := arns.kind(text))
    ]
    return tuple(resources[:RESOURCES_MAX])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
