"""An asyncio loop in a thread that lives in a network namespace: every socket it opens is that namespace's.

A namespace belongs to a thread and an ordinary user cannot go back, so the thread enters for good and ends there.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from forwarder import network_namespace

STEP_S_MAX = 10.0


class NamespaceLoop:
    """Runs `open_all` once, then everything that it started, until `stop`; `close_all` comes last."""

    def __init__(
        self, netns: str, open_all: Callable[[], Awaitable[None]], close_all: Callable[[], None] = lambda: None, *, name: str
    ) -> None:
        """`netns` empty: this process's own.  Nothing runs before `start`; both callables run in the loop."""
        self._netns = netns
        self._open_all = open_all
        self._close_all = close_all
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
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
        """Have `action` done in the loop, soon; nothing happens once the loop has ended."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # closed already
                self._loop.call_soon_threadsafe(action)

    def stop(self) -> None:
        """Cancel what runs, close, end the thread.  One that never started has nothing to stop."""
        self.call(self._ending.set)
        if self._thread.ident is not None:
            self._thread.join(STEP_S_MAX)

    def _run(self) -> None:
        try:
            if self._netns:
                network_namespace.enter(self._netns)
            asyncio.run(self._live())
        except OSError as error:
            self._error = error
        self._started.set()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._open_all()
            self._started.set()
            await self._ending.wait()
        finally:
            await self._end()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close_all()
        await asyncio.sleep(0)  # transports close in the turn after they were told
