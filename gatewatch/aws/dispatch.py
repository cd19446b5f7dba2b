"""From a request's bytes to an answer's: which service and operation, who asks, whether it fits the model.

No HTTP library here.  Every outcome is counted.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from gatewatch.aws import answer, json_request, query_request
from gatewatch.aws.answer import Answer
from gatewatch.aws.call import Backend, Call, Caller
from gatewatch.aws.credentials import Credential
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import Problem, error_of
from gatewatch.aws.services import BY_TARGET_PREFIX, BY_VERSION, ELBV2, LOGS, Service, operation_model
from gatewatch.aws.sigv4 import Signature, SignedRequest, read_signature, verify
from gatewatch.aws.validation import problems_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes.  `json` tells the encoding of its body and of the answer."""

    service: Service
    operation: str
    json: bool


class Dispatcher:
    """Answers requests by asking `backend`.

    `credentials` by access key id; None: any well-formed signature is taken.  `clock_s` gives epoch seconds.
    """

    def __init__(
        self, backend: Backend, *, credentials: Mapping[str, Credential] | None, clock_s: Callable[[], float]
    ) -> None:
        self._backend = backend
        self._credentials = credentials
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    def counts(self) -> dict[str, dict[str, int]]:
        """Calls by operation (`elbv2.CreateListener`; what is not served under `unknown`) and errors by code."""
        with self._lock:
            return {"requests": dict(self._calls), "errors": dict(self._errors)}

    def answer(self, request: SignedRequest, source_ip_address: str) -> Answer:
        """The answer, whatever was sent."""
        request_id = str(uuid.uuid4())
        json = "x-amz-target" in request.headers
        # What cannot be routed is answered in the protocol it seems to be in.
        target = Target(service=LOGS if json else ELBV2, operation="", json=json)
        counted = "unknown"
        try:
            target = route(request)
            caller = self._caller(request, target.service, source_ip_address)
            operation = self._operation(target)
            counted = f"{target.service.name}.{target.operation}"
            call = read_call(request, target, operation, caller, request_id)
            result = self._backend(call)
        except AwsError as error:
            self._count(counted, error.code)
            encode_error = answer.json_error if target.json else answer.query_error
            return encode_error(target.service, error, request_id)
        self._count(counted, None)
        encode = answer.json_result if target.json else answer.query_result
        return encode(target.service, operation, result, request_id)

    def _count(self, operation: str, error_code: str | None) -> None:
        with self._lock:
            self._calls[operation] += 1
            if error_code:
                self._errors[error_code] += 1

    def _caller(self, request: SignedRequest, service: Service, source_ip_address: str) -> Caller:
        signature = read_signature(request.headers.get("authorization"))
        if signature.service != service.signing_name:
            wanted = f"Credential should be scoped to correct service: '{service.signing_name}'."
            raise AwsError("SignatureDoesNotMatch", wanted, 403)
        return Caller(
            access_key_id=signature.access_key_id,
            user_name=self._user_name(signature, request, service),
            source_ip_address=source_ip_address,
            user_agent=request.headers.get("user-agent", ""),
        )

    def _user_name(self, signature: Signature, request: SignedRequest, service: Service) -> str:
        if self._credentials is None:
            return signature.access_key_id
        credential = self._credentials.get(signature.access_key_id)
        if credential is None:
            raise _unknown_key(service)
        verify(signature, credential.secret, request, self._clock_s())
        return credential.user_name

    def _operation(self, target: Target) -> OperationModel:
        served = target.operation in self._backend.operations(target.service.name)
        model = operation_model(target.service, target.operation) if served else None
        if model is None:
            raise _not_served(target)
        return model


def route(request: SignedRequest) -> Target:
    """The service and operation a request names: by `X-Amz-Target`, else by the form's Version and Action."""
    if request.path != "/":
        raise AwsError("UnknownOperationException", f"There is nothing at {request.path[:200]}", 404)
    named = request.headers.get("x-amz-target")
    if named is not None:
        prefix, _, operation = named.rpartition(".")
        service = BY_TARGET_PREFIX.get(prefix)
        if service is None:
            raise AwsError("UnknownOperationException", f"There is no service with the target {named[:200]}")
        return Target(service=service, operation=operation, json=True)
    fields = query_request.read_form(request.body)
    if "Action" not in fields:
        raise AwsError("MissingAction", "The request is missing an action or a required parameter: Action")
    version = fields.get("Version", "")
    if version not in BY_VERSION:
        raise AwsError("NoSuchVersion", f"No service of gatewatch has an API with the version '{version[:50]}'")
    return Target(service=BY_VERSION[version], operation=fields["Action"], json=False)


def read_call(
    request: SignedRequest, target: Target, operation: OperationModel, caller: Caller, request_id: str
) -> Call:
    """The call, with `refusal` set if its parameters break the model."""
    parameters, problems = _read_parameters(request, target, operation)
    problems += problems_of(operation.input_shape, parameters)
    return Call(
        service=target.service.name,
        operation=target.operation,
        parameters=parameters,
        request_id=request_id,
        caller=caller,
        refusal=error_of(target.service, problems) if problems else None,
    )


def _read_parameters(
    request: SignedRequest, target: Target, operation: OperationModel
) -> tuple[dict[str, Any], list[Problem]]:
    if target.json:
        return json_request.read_parameters(json_request.read_body(request.body), operation.input_shape)
    fields = query_request.read_form(request.body)
    return query_request.read_parameters(fields, operation.input_shape, target.service.protocol)


def _unknown_key(service: Service) -> AwsError:
    if service.protocol == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def _not_served(target: Target) -> AwsError:
    operation = target.operation[:100]
    if target.json:
        return AwsError("UnknownOperationException", f"gatewatch does not serve {target.service.name} {operation}")
    return AwsError(
        "InvalidAction",
        f"Could not find operation {operation} for version {target.service.version}: gatewatch does not serve it",
    )
