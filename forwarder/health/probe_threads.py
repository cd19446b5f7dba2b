"""Threads that make probes: a pool per network namespace, which its threads enter once and never leave."""

from __future__ import annotations

import queue
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import partial

from forwarder.health.probe import Outcome, ProbeResult, probe
from forwarder.health.schedule import Key, Order
from forwarder.network_namespace import enter


class ProbeThreads:
    """Starts probes and puts (key, result) into `results`; never has more than `threads_max` threads."""

    def __init__(self, namespaces: set[str], threads_max: int) -> None:
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._under_way = 0
        self._threads_max = threads_max
        self.results: queue.SimpleQueue[tuple[Key, ProbeResult]] = queue.SimpleQueue()
        self.follow(namespaces)

    def follow(self, namespaces: set[str]) -> None:
        """Probe from these from now on; the threads in others end with what they are at."""
        self._threads_each = max(1, self._threads_max // max(1, len(namespaces)))
        for netns in self._pools.keys() - namespaces:
            self._pools.pop(netns).shutdown(wait=False)

    @property
    def free(self) -> int:
        """How many more probes may be under way."""
        return self._threads_max - self._under_way

    def start(self, order: Order) -> None:
        """Make a probe; its result comes through `results`, also when there is no thread to make it."""
        self._under_way += 1
        pool = self._pool(order.node.netns)
        try:
            future = pool.submit(probe, order.check, order.address, order.node.address)
        except BrokenExecutor as error:
            # A namespace that could not be entered breaks the pool; the next probe tries with a new one.
            del self._pools[order.node.netns]
            pool.shutdown(wait=False)
            self.results.put((order.key, ProbeResult(outcome=Outcome.LOCAL_ERROR, detail=str(error))))
        else:
            future.add_done_callback(partial(self._done, order.key))

    def _pool(self, netns: str) -> ThreadPoolExecutor:
        if netns not in self._pools:
            self._pools[netns] = ThreadPoolExecutor(
                self._threads_each, f"probe-{netns}", initializer=partial(enter, netns) if netns else None
            )
        return self._pools[netns]

    def _done(self, key: Key, future: Future[ProbeResult]) -> None:
        error = future.exception()
        result = future.result() if error is None else ProbeResult(outcome=Outcome.LOCAL_ERROR, detail=str(error))
        self.results.put((key, result))

    def wait(self, timeout_s: float) -> list[tuple[Key, ProbeResult]]:
        """Results so far; waits for the first one."""
        found: list[tuple[Key, ProbeResult]] = []
        try:
            found.append(self.results.get(timeout=timeout_s))
            while True:
                found.append(self.results.get_nowait())
        except queue.Empty:
            self._under_way -= len(found)
            return found

    def close(self) -> None:
        """Start nothing more; probes under way end by themselves, within their time-outs."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
