"""Signature Version 4: who signed a request, for which service, and, where the secret is known, whether it is true.

"Signing AWS API requests" (IAM user guide).  Without a credentials file any well-formed signature is taken: gatewatch
then knows who claims to ask, for its audit events, and asks for no proof.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from gatewatch.aws.error import AwsError

ALGORITHM: Final = "AWS4-HMAC-SHA256"

#: How far a signed request's date may be from the server's clock.
CLOCK_SKEW_MAX_S: Final = 300

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[\w./+=-]{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]{1,32})"
    r"/(?P<service>[a-z0-9-]{1,32})/aws4_request\s*,\s*SignedHeaders=(?P<headers>[a-z0-9;_.-]{1,4096})"
    r"\s*,\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the `Authorization` header says.  `service` is the signing name (`elasticloadbalancing`)."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The parts of a request that are signed.  Header names are in lower case; `path` and `query` as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def read_signature(authorization: str | None) -> Signature:
    """Read the header; an `AwsError` in AWS's words if there is none or it is not a SigV4 one."""
    if not authorization:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    found = _AUTHORIZATION.fullmatch(authorization.strip())
    if found is None:
        raise AwsError(
            "IncompleteSignature",
            "Authorization header requires the parameters Credential, SignedHeaders and Signature of AWS4-HMAC-SHA256",
        )
    return Signature(
        access_key_id=found["key"], date=found["date"], region=found["region"], service=found["service"],
        signed_headers=tuple(found["headers"].split(";")), signature=found["signature"],
    )


def verify(signature: Signature, secret: str, request: SignedRequest, now_s: float) -> None:
    """Check the signature and its age; `AwsError` says which is wrong."""
    amz_date = request.headers.get("x-amz-date", "")
    try:
        signed_s = datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise AwsError("IncompleteSignature", "Date in X-Amz-Date must be given as YYYYMMDDTHHMMSSZ", 400) from None
    if abs(now_s - signed_s) > CLOCK_SKEW_MAX_S or not amz_date.startswith(signature.date):
        raise AwsError("RequestExpired", f"Signature not current: {amz_date} is over 5 minutes off the server's clock")
    if "host" not in signature.signed_headers:
        raise AwsError("SignatureDoesNotMatch", "The host header must be signed", 403)
    expected = sign(signature, secret, amz_date, request)
    if not hmac.compare_digest(expected, signature.signature):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
            " Access Key and signing method. Consult the service documentation for details.",
            403,
        )


def sign(signature: Signature, secret: str, amz_date: str, request: SignedRequest) -> str:
    """The signature (hex) that belongs to the request under this secret, scope and list of signed headers."""
    canonical = hashlib.sha256(_canonical_request(signature, request)).hexdigest()
    text = f"{ALGORITHM}\n{amz_date}\n{signature.scope}\n{canonical}"
    key = ("AWS4" + secret).encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical_request(signature: Signature, request: SignedRequest) -> bytes:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in sorted(signature.signed_headers)
    )
    query = "&".join(sorted(part if "=" in part else part + "=" for part in request.query.split("&") if part))
    lines = (
        request.method, quote(request.path or "/", safe="/-_.~%"), query, headers,
        ";".join(sorted(signature.signed_headers)), hashlib.sha256(request.body).hexdigest(),
    )
    return "\n".join(lines).encode()
