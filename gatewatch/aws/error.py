"""The one exception of an AWS API: a code, a message and an HTTP status."""

from __future__ import annotations


class AwsError(Exception):
    """An answer that is an error.  `code` is AWS's word (`LoadBalancerNotFound`), `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    @property
    def fault(self) -> str:
        """Whose fault it is, in the query protocol's words."""
        return "Sender" if self.status < 500 else "Receiver"


def invalid(message: str) -> AwsError:
    """`ValidationError`, elbv2's code for a request that breaks a rule."""
    return AwsError("ValidationError", message)
