"""Threads that probe: results come back, whatever happens, and never more at once than allowed."""

from __future__ import annotations

import socket

import pytest

from forwarder.desired import HealthCheck
from forwarder.health.probe import Outcome
from forwarder.health.probe_threads import ProbeThreads
from forwarder.health.schedule import Order
from forwarder.inventory import Node


def order(port: int, netns: str = "", name: str = "i-1") -> Order:
    node = Node(interface_id="eni", subnet_id="subnet", address="127.0.0.1", device="lo", netns=netns)
    check = HealthCheck(port=port, timeout_s=30)
    return Order(key=("arn", name, "127.0.0.1"), check=check, address="127.0.0.1", node=node)


def test_results_come_back_with_their_keys() -> None:
    threads = ProbeThreads({""}, 4)
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = {f"i-{number}" for number in range(4)}
        for name in names:
            threads.start(order(server.getsockname()[1], name=name))
        assert threads.free == 0
        results = []
        while len(results) < 4:
            results += threads.wait(60)
    assert {key[1] for key, _ in results} == names
    assert all(result.passed for _, result in results)
    assert threads.free == 4
    threads.close()


# The pool tells of its broken initializer through a thread's exception.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_namespace_that_is_not_there_is_our_fault_and_tried_again() -> None:
    threads = ProbeThreads({"gw-none"}, 2)
    for _ in range(3):
        threads.start(order(9, netns="gw-none"))
        ((_, result),) = threads.wait(60)
        assert result.outcome is Outcome.LOCAL_ERROR
    assert threads.free == 2
    threads.close()


def test_waiting_ends_without_results() -> None:
    threads = ProbeThreads({""}, 1)
    assert threads.wait(0.01) == []
    threads.close()


def test_threads_of_a_namespace_without_nodes_end_and_new_ones_share_what_there_is() -> None:
    threads = ProbeThreads({""}, 4)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads.start(order(server.getsockname()[1]))
        ((_, result),) = threads.wait(60)
        assert result.passed
        pool = threads._pools[""]
        threads.follow({"gw-other"})
        assert pool._shutdown
        threads.follow({"", "gw-other"})
        threads.start(order(server.getsockname()[1]))
        ((_, result),) = threads.wait(60)
        assert result.passed
        assert threads._pools[""]._max_workers == 2
    threads.close()
