"""From a request's bytes to an answer's: which service and operation, who asks, whether it fits the model.

No HTTP library here.  Every outcome is counted.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

from botocore.model import OperationModel

from gatewatch.aws.answer import Answer
from gatewatch.aws.call import Backend, Call, Caller
from gatewatch.aws.credentials import Credential
from gatewatch.aws.error import AwsError
from gatewatch.aws.problem import error_of
from gatewatch.aws.protocols.protocol import AwsProtocol, Reading
from gatewatch.aws.protocols.table import read, seeming
from gatewatch.aws.services import Service, operation_model
from gatewatch.aws.sigv4 import Signature, SignedRequest, read_signature, verify
from gatewatch.aws.validation import problems_of


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
        # What cannot be read is answered in the protocol it seems to be in.
        protocol, service = seeming(request.headers, request.path)
        counted = "unknown"
        try:
            protocol, reading = read(request.headers, request.path, request.body)
            service = reading.service
            caller = self._caller(request, service, source_ip_address)
            operation = self._operation(protocol, reading)
            counted = f"{service.name}.{reading.operation}"
            result = self._backend(read_call(protocol, reading, operation, caller, request_id))
        except AwsError as error:
            self._count(counted, error.code)
            return protocol.error(service, error, request_id)
        self._count(counted, None)
        return protocol.result(service, operation, result, request_id)

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

    def _operation(self, protocol: AwsProtocol, reading: Reading) -> OperationModel:
        served = reading.operation in self._backend.operations(reading.service.name)
        model = operation_model(reading.service, reading.operation) if served else None
        if model is None:
            raise protocol.not_served(reading)
        return model


def read_call(protocol: AwsProtocol, reading: Reading, operation: OperationModel, caller: Caller, request_id: str) -> Call:
    """The call, with `refusal` set if its parameters break the model."""
    parameters, problems = protocol.parameters(reading, operation.input_shape)
    problems += problems_of(operation.input_shape, parameters)
    return Call(
        service=reading.service.name,
        operation=reading.operation,
        parameters=parameters,
        request_id=request_id,
        caller=caller,
        refusal=error_of(reading.service, problems) if problems else None,
    )


def _unknown_key(service: Service) -> AwsError:
    if service.protocol == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
