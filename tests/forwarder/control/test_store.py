"""The state store: what is read back, when the revision grows, and what several users at once do to it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from forwarder.control.store import Observation, Store, counting_changes
from forwarder.desired import TargetState
from gatewatch.database.kind import BadDatabase

HEALTHY = TargetState.HEALTHY


def ready(api: Any) -> tuple[str, str]:
    load_balancer, group = api.load_balancer(), api.target_group()
    api.register(group, "i-0a000000000000001")
    api.listener(load_balancer, group)
    return load_balancer, group


def test_what_the_prober_observes_is_in_the_next_reading(api: Any) -> None:
    _, group = ready(api)
    before = api.store.revision()
    seen = Observation(target_group_arn=group, target_id="i-0a000000000000001", state=HEALTHY)
    api.store.observe([seen])
    target = api.store.desired().load_balancers[0].target_group.targets[0]
    assert (target.state, target.reason, target.description) == (HEALTHY, "", "")
    assert api.store.revision() == before + 1 == api.store.desired().revision


def test_observing_the_same_again_is_no_change(api: Any) -> None:
    _, group = ready(api)
    seen = Observation(target_group_arn=group, target_id="i-0a000000000000001", state=HEALTHY)
    api.store.observe([seen])
    before = api.store.revision()
    api.store.observe([seen])
    api.store.observe([])
    assert api.store.revision() == before


def test_a_draining_target_keeps_its_state_whatever_is_observed(api: Any) -> None:
    _, group = ready(api)
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-0a000000000000001"}])
    api.store.observe([Observation(target_group_arn=group, target_id="i-0a000000000000001", state=HEALTHY)])
    assert api.health(group)["i-0a000000000000001"]["State"] == "draining"


def test_activating_is_a_change_once(api: Any) -> None:
    load_balancer = api.load_balancer()
    before = api.store.revision()
    api.store.activate([load_balancer, "arn:of:another"])
    api.store.activate([load_balancer])
    assert api.store.revision() == before + 1
    found = api.elbv2("DescribeLoadBalancers")["LoadBalancers"][0]
    assert found["State"] == {"Code": "active"}


def test_a_drained_target_goes_when_its_delay_is_over(api: Any) -> None:
    _, group = ready(api)
    api.elbv2("DeregisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-0a000000000000001"}])
    api.store.drop_drained(api.now_s + 299.9)
    (target,) = api.store.desired().load_balancers[0].target_group.targets
    assert (target.state, target.deregistered_at_s) == (TargetState.DRAINING, api.now_s)
    api.store.drop_drained(api.now_s + 300)
    assert api.store.desired().load_balancers[0].target_group.targets == ()


def test_reads_do_not_raise_the_revision(api: Any) -> None:
    ready(api)
    before = api.store.revision()
    api.elbv2("DescribeLoadBalancers")
    api.elbv2("DescribeTargetGroups")
    assert api.store.revision() == before


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state.sqlite")

    def fail() -> None:
        with store.writing() as connection, counting_changes(connection):
            connection.execute("INSERT INTO tags VALUES ('a', 'b', 'c')")
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM tags").fetchone()[0] == 0
    assert store.revision() == 0
    store.close()


def test_threads_of_one_process_and_two_stores_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    stores = [Store.open(path), Store.open(path)]
    failures: list[BaseException] = []

    def write(store: Store, name: str) -> None:
        try:
            for number in range(20):
                with store.writing() as connection, counting_changes(connection):
                    connection.execute("INSERT INTO tags VALUES (?, ?, '')", (name, str(number)))
        except sqlite3.Error as error:
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=(stores[number % 2], str(number))) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stores[0].revision() == 80
    for store in stores:
        store.close()


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BadDatabase, match=r"a newer gatewatch .version 99"):
        Store.open(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BadDatabase, match="cannot be opened"):
        Store.open(path)


def test_the_secret_of_flows_outlives_a_restart_and_is_each_stores_own(tmp_path: Path) -> None:
    first = Store.open(tmp_path / "state.sqlite")
    secret = first.flow_secret()
    first.close()
    again, other = Store.open(tmp_path / "state.sqlite"), Store.open(tmp_path / "other.sqlite")
    assert again.flow_secret() == secret
    assert len(secret) == 32
    assert other.flow_secret() != secret
    for store in (again, other):
        store.close()
