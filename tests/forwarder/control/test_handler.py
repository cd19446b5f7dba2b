"""The call and its event are one transaction; what cannot be recorded is not done."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from forwarder.control import handler as handler_module
from forwarder.control.context import Context
from forwarder.control.handler import Handler, new_number
from forwarder.control.operation import Operation
from forwarder.control.store import Store
from gatewatch.api_service import SERVED
from gatewatch.aws.call import Call, Caller
from gatewatch.aws.error import AwsError
from gatewatch.settings import Settings

CALLER = Caller(access_key_id="AKID", user_name="alice", source_ip_address="192.0.2.1", user_agent="")


def call(operation: str, **parameters: Any) -> Call:
    return Call(service="elbv2", operation=operation, parameters=parameters, request_id="r", caller=CALLER)


def test_a_fault_of_gatewatchs_is_answered_recorded_and_undone(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: Context, parameters: Any) -> dict[str, Any]:
        context.connection.execute("INSERT INTO tags VALUES ('a', 'b', 'c')")
        raise KeyError("a bug")

    broken = {**SERVED["elbv2"], "DescribeTags": Operation(run=fail, members=frozenset({"ResourceArns"}))}
    monkeypatch.setattr(api.handler, "_served", {"elbv2": broken})
    with pytest.raises(AwsError) as refused:
        api.handler(call("DescribeTags", ResourceArns=[]))
    assert (refused.value.code, refused.value.status) == ("InternalFailure", 500)
    assert api.events()[-1]["errorCode"] == "InternalFailure"
    with api.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM tags").fetchone()[0] == 0
    assert api.store.revision() == 0


def test_numbers_in_the_outbox_have_no_gap_whatever_fails(api: Any) -> None:
    api.load_balancer()
    for _ in range(3):
        with pytest.raises(AwsError):
            api.handler(call("DescribeLoadBalancers", Names=["no"]))
    with api.store.reading() as connection:
        ids = [row["id"] for row in connection.execute("SELECT id FROM audit_outbox ORDER BY id")]
    assert ids == [1, 2, 3, 4]


def test_past_the_bound_nothing_is_done_not_even_reads(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state.sqlite")
    handler = Handler(
        store, Settings(audit_outbox_max=10), SERVED, clock_s=lambda: 0.0, number=lambda: "0" * 16
    )
    for _ in range(10):
        handler(call("DescribeLoadBalancers"))
    for refused_call in (
        call("DescribeLoadBalancers"),
        call("CreateLoadBalancer", Name="gw", Type="gateway", Subnets=["subnet-0a000000000000001"]),
    ):
        with pytest.raises(AwsError, match="10 audit events wait") as refused:
            handler(refused_call)
        assert (refused.value.code, refused.value.status) == ("ServiceUnavailable", 503)
    assert store.desired().load_balancers == ()
    with store.writing() as connection:
        connection.execute("DELETE FROM audit_outbox WHERE id <= 5")
    handler(call("DescribeLoadBalancers"))
    store.close()


def test_a_store_that_cannot_be_written_is_told_so(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(handler_module, "put_in_outbox", fail)
    with pytest.raises(AwsError, match="ServiceUnavailable"):
        api.handler(
            call("CreateLoadBalancer", Name="gw", Type="gateway", Subnets=["subnet-0a000000000000001"])
        )
    assert api.store.desired().load_balancers == ()


def test_the_relay_is_told_after_the_commit(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state.sqlite")
    seen: list[int] = []

    def look() -> None:
        with store.reading() as connection:
            seen.append(connection.execute("SELECT count(*) FROM audit_outbox").fetchone()[0])

    handler = Handler(store, Settings(), SERVED, clock_s=lambda: 0.0, on_audit=look)
    handler(call("DescribeLoadBalancers"))
    assert seen == [1]
    store.close()


def test_numbers_are_sixteen_digits() -> None:
    assert len(new_number()) == 16
    assert int(new_number(), 16) >= 0
    assert new_number() != new_number()


def test_what_is_served(api: Any) -> None:
    assert "CreateLoadBalancer" in api.handler.operations("elbv2")
    assert api.handler.operations("s3") == frozenset()
