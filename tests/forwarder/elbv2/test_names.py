"""Names and ARNs (what is wrong with wrong ones is in wrong_requests.json)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.elbv2.names import check_arn, check_name
from gatewatch.aws.arn import load_balancer_arn
from gatewatch.aws.error import AwsError


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", fullmatch=True))
def test_every_name_of_letters_digits_and_inner_hyphens_is_a_target_groups(name: str) -> None:
    check_name("Target group", name)


@pytest.mark.parametrize("name", ["", "a" * 33, "ä", "a b", "-a", "a-", "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(AwsError, match="ValidationError"):
        check_name("Target group", name)


def test_an_arn_of_another_kind_is_refused() -> None:
    arn = load_balancer_arn("us-east-1", "123456789012", "gw", "0" * 16)
    check_arn("load balancer", arn)
    with pytest.raises(AwsError, match="is not a valid listener ARN"):
        check_arn("listener", arn)
