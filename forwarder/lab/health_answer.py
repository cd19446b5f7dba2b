"""An appliance's answer to health checks: HTTP 200, or 503 when told to fail.

`POST /fail` and `POST /recover` tell it, as does the signal that `appliance.py` hands to `toggle`.  The server runs in
a thread of its own, inside the appliance's namespace, beside the packet path.
"""

from __future__ import annotations

from http import HTTPStatus

from forwarder.lab.http_server import Answer, HttpServer, text_answer
from forwarder.lab.namespace_loop import NamespaceLoop


class HealthAnswer:
    """Listens on TCP `port` of `address` in namespace `netns`."""

    def __init__(self, *, address: str, port: int, netns: str = "") -> None:
        self.failing = False
        self.checks = 0
        self._address = address
        self._port = port
        self._server = HttpServer(self.answer)
        self._loop = NamespaceLoop(netns, self._listen, self._server.close, name="health-answer")

    @property
    def port(self) -> int:
        """The port it listens on, once started (0 was given: one that was free)."""
        return self._server.port or self._port

    def toggle(self) -> None:
        """Fail from now on, or no longer."""
        self.failing = not self.failing

    def answer(self, method: str, path: str) -> Answer:
        """What a request gets; also moves the switch."""
        if method == "POST" and path in ("/fail", "/recover"):
            self.failing = path == "/fail"
            return text_answer(HTTPStatus.OK, "failing" if self.failing else "healthy")
        if method not in ("GET", "HEAD"):
            return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, "GET, or POST /fail and /recover")
        self.checks += 1
        if self.failing:
            return text_answer(HTTPStatus.SERVICE_UNAVAILABLE, "told to fail")
        return text_answer(HTTPStatus.OK, "healthy")

    def start(self) -> None:
        """Listen; `OSError` when the namespace or the port cannot be had."""
        try:
            self._loop.start()
        except OSError as error:
            where = f"{self._address}:{self._port}"
            raise OSError(error.errno, f"cannot answer health checks on {where}: {error}") from error

    def stop(self) -> None:
        """Stop listening."""
        self._loop.stop()

    async def _listen(self) -> None:
        await self._server.listen(self._address, self._port)
