"""A call is a value; the control room is a backend."""

from __future__ import annotations

from gatewatch.aws.call import Backend, Call, Caller


def test_equal_calls_are_equal() -> None:
    def make() -> Call:
        caller = Caller(access_key_id="A", user_name="a", source_ip_address="::1", user_agent="")
        return Call(service="elbv2", operation="DescribeTags", parameters={}, request_id="r", caller=caller)

    assert make() == make()
    assert make().refusal is None


def test_the_echo_is_a_backend(backend: Backend) -> None:
    assert "DescribeVpcs" in backend.operations("ec2")
    assert backend.operations("s3") == frozenset()
