"""Amazon Resource Names of a gateway load balancer, its target group and its listener (CLI examples' formats).

`arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/gwy/<name>/<16 hex>`, `…:targetgroup/<name>/<18 hex
digits that start with 00>`, `…:listener/gwy/<name>/<load balancer's 16 hex>/<16 hex>`.
"""

from __future__ import annotations

import re
from typing import Final

_PREFIX: Final = r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:"
_LOAD_BALANCER: Final = re.compile(_PREFIX + r"loadbalancer/(?:gwy|app|net)/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}")
_TARGET_GROUP: Final = re.compile(_PREFIX + r"targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16,18}")
_LISTENER: Final = re.compile(_PREFIX + r"listener/(?:gwy|app|net)/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}/[0-9a-f]{16}")


def load_balancer_arn(region: str, account_id: str, name: str, number: str) -> str:
    """The ARN of a gateway load balancer; `number` is 16 hex digits."""
    return f"arn:aws:elasticloadbalancing:{region}:{account_id}:loadbalancer/gwy/{name}/{number}"


def target_group_arn(region: str, account_id: str, name: str, number: str) -> str:
    """The ARN of a GENEVE target group; `number` is 16 hex digits, before which `00` is put."""
    return f"arn:aws:elasticloadbalancing:{region}:{account_id}:targetgroup/{name}/00{number}"


def listener_arn(of_load_balancer: str, number: str) -> str:
    """The ARN of a listener; `number` is 16 hex digits."""
    return of_load_balancer.replace(":loadbalancer/", ":listener/", 1) + "/" + number


def kind(arn: str) -> str | None:
    """`load balancer`, `target group`, `listener`, or None for what is not the ARN of one."""
    if _LOAD_BALANCER.fullmatch(arn):
        return "load balancer"
    if _TARGET_GROUP.fullmatch(arn):
        return "target group"
    return "listener" if _LISTENER.fullmatch(arn) else None
