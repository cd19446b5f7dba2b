"""By which names (the Host header) a server of this machine may be called."""

from __future__ import annotations

from collections.abc import Sequence

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def names_of(host: str) -> Sequence[str]:
    """The names for a server that listens on `host`, as starlette's `TrustedHostMiddleware` wants them.

    On a loopback address: this machine's alone.  A page in a browser here, whose own name is made to point at
    127.0.0.1, could read the console and call an API that takes any signature else.
    """
    return _LOOPBACK_NAMES if host in _LOOPBACK else ("*",)
