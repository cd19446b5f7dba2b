"""An asyncio loop in a thread that lives in a network namespace: every socket it opens is that namespace's.

A namespace belongs to a thread and an ordinary user cannot go back, so the thread enters for good and ends there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from forwarder.datapath import network_namespace

STEP_S_MAX = 10.0


class NamespaceLoop:
    """Runs `open_all` once, then everything that it started, until `stop`."""

    def __init__(self, netns: str, open_all: Callable[[], Awaitable[None]], *, name: str) -> None:
        """`netns` empty: this process's own.  Nothing runs before `start`."""
        self._netns = netns
        self._open_all = open_all
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Enter the namespace and open; `OSError` when either is refused."""
        self._thread.start()
        if not self._started.wait(STEP_S_MAX):
            raise TimeoutError(f"{self._thread.name} did not open its sockets within {STEP_S_MAX:g} s")
        if self._error is not None:
            raise self._error

    def call(self, action: Callable[[], None]) -> None:
        """Have `action` done in the loop, soon."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(action)

    def stop(self) -> None:
        """Cancel what runs, close the loop, end the thread.  A loop that never started is closed too."""
        if self._thread.ident is None:
            self._loop.close()
            return
        self.call(self._loop.stop)
        self._thread.join(STEP_S_MAX)

    def _run(self) -> None:
        try:
            if self._netns:
                network_namespace.enter(self._netns)
            self._loop.run_until_complete(self._open_all())
        except OSError as error:
            self._error = error
        self._started.set()
        try:
            if self._error is None:
                self._loop.run_forever()
        finally:
            self._loop.run_until_complete(_end_tasks())
            self._loop.close()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports close in the turn after their task ended
