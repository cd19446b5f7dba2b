"""Names and ARNs that callers give, checked."""

from __future__ import annotations

import re
from typing import Final

from gatewatch.aws import arn
from gatewatch.aws.error import invalid

NAME_CHARACTERS_MAX: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")


def check_name(what: str, name: str) -> None:
    """Raise `ValidationError` for what cannot be the name of a load balancer or a target group (`what`)."""
    if not name:
        raise invalid(f"{what} name must be specified")
    if len(name) > NAME_CHARACTERS_MAX:
        raise invalid(f"{what} name '{name}' cannot be longer than '{NAME_CHARACTERS_MAX}' characters")
    if not _NAME.fullmatch(name):
        raise invalid(
            f"{what} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)",
        )
    if name.startswith("-") or name.endswith("-"):
        raise invalid(f"{what} name '{name}' cannot begin or end with '-'")
    if name.startswith("internal-") and what == "Load balancer":
        raise invalid(f"{what} name '{name}' cannot begin with 'internal-'")


def check_arn(kind: str, value: str) -> None:
    """Raise `ValidationError` for what is not the ARN of a `load balancer`, `target group` or `listener`."""
    if arn.kind(value) != kind:
        raise invalid(f"'{value[:300]}' is not a valid {kind} ARN")
