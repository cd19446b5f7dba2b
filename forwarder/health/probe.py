"""One health probe: connect to a target, perhaps ask for a page, and say what came of it.

As elbv2 describes for gateway load balancers: TCP succeeds once the connection stands; HTTP and HTTPS succeed when the
status code is among the success codes; certificates are not verified, and TLS is 1.2 at most (targets that speak only
TLS 1.3 fail).  A probe that is not over after its time-out has failed, however far it got.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from dataclasses import dataclass
from enum import StrEnum

from forwarder.desired import HealthCheck
from forwarder.health.success_codes import parse_success_codes

#: The status line has to come within so many bytes.
ANSWER_BYTES_MAX = 4_096
USER_AGENT = "ELB-HealthChecker/2.0"


class Outcome(StrEnum):
    """What came of a probe."""

    PASSED = "passed"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    WRONG_CODE = "wrong code"
    BAD_ANSWER = "bad answer"
    LOCAL_ERROR = "local error"


#: Packets of one probe, both ways, as ProcessedPackets counts them.  They are the kernel's, so this is the shortest
#: exchange of each kind: TCP opens and closes in 7; HTTP adds request, answer and their acknowledgements.
_PACKETS = {"TCP": 7, "HTTP": 11, "HTTPS": 19}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a probe found: outcome, words for a person, the packets it took (decision 0032)."""

    outcome: Outcome
    detail: str = ""
    packets: int = 0

    @property
    def passed(self) -> bool:
        """Did the target answer as it should?"""
        return self.outcome is Outcome.PASSED


def probe(check: HealthCheck, target_address: str, source_address: str) -> ProbeResult:
    """Probe `target_address` from `source_address`, in the calling thread's namespace.

    Takes at most the check's time-out; never raises for what the network or the target does.
    """
    deadline_s = time.monotonic() + check.timeout_s
    try:
        with socket.create_connection(
            (target_address, check.port), timeout=check.timeout_s, source_address=(source_address, 0)
        ) as connection:
            if check.protocol == "TCP":
                return ProbeResult(outcome=Outcome.PASSED, packets=_PACKETS["TCP"])
            return _ask(check, connection, target_address, deadline_s)
    except TimeoutError:
        return ProbeResult(outcome=Outcome.TIMED_OUT, detail="Request timed out", packets=_syns(check.timeout_s))
    except ConnectionError as error:
        return ProbeResult(outcome=Outcome.REFUSED, detail=error.strerror or "connection ended", packets=2)
    except ssl.SSLError as error:
        return ProbeResult(outcome=Outcome.BAD_ANSWER, detail=f"TLS: {error.reason}", packets=_PACKETS["TCP"])
    except OSError as error:
        # No route, no such source address, no descriptors left: nothing the target could be blamed for with certainty,
        # but unreachable is what it is.
        outcome = Outcome.LOCAL_ERROR if error.errno in _LOCAL else Outcome.REFUSED
        return ProbeResult(outcome=outcome, detail=error.strerror or str(error))


_LOCAL = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOMEM, errno.ENOBUFS))


def _ask(check: HealthCheck, connection: socket.socket, host: str, deadline_s: float) -> ProbeResult:
    packets = _PACKETS[check.protocol]
    if check.protocol == "HTTPS":
        connection.settimeout(_left_s(deadline_s))
        connection = _tls().wrap_socket(connection)
    with connection:
        request = (
            f"GET {check.path} HTTP/1.1\r\nHost: {host}:{check.port}\r\nUser-Agent: {USER_AGENT}\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n"
        )
        connection.settimeout(_left_s(deadline_s))
        connection.sendall(request.encode("latin-1", "replace"))
        line = _status_line(connection, deadline_s)
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
        return ProbeResult(outcome=Outcome.BAD_ANSWER, detail="the answer is not HTTP", packets=packets)
    code = int(words[1])
    if code not in parse_success_codes(check.success_codes):
        detail = f"Health checks failed with these codes: [{code}]"
        return ProbeResult(outcome=Outcome.WRONG_CODE, detail=detail, packets=packets)
    return ProbeResult(outcome=Outcome.PASSED, packets=packets)


def _status_line(connection: socket.socket, deadline_s: float) -> bytes:
    """What comes before the first line end; what came so far if the target ends early or sends too much."""
    answer = b""
    while b"\r\n" not in answer and len(answer) < ANSWER_BYTES_MAX:
        connection.settimeout(_left_s(deadline_s))
        part = connection.recv(ANSWER_BYTES_MAX)
        if not part:
            break
        answer += part
    return answer.split(b"\r\n", 1)[0]


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _syns(timeout_s: float) -> int:
    """SYNs that Linux sends in that time: at 0, 1, 3, 7, ... seconds."""
    return int(timeout_s + 1).bit_length()
