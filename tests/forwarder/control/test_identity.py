"""Who is asking."""

from __future__ import annotations

from typing import Any

from forwarder.control.identity import user_arn


def test_the_caller_is_the_user_of_the_access_key(api: Any) -> None:
    assert api.call("sts", "GetCallerIdentity") == {
        "UserId": "AKIDTEST", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/AKIDTEST",
    }
    assert user_arn("1", "alice") == "arn:aws:iam::1:user/alice"
