"""Whether a port can be listened on, asked before services are started that would only die of it."""

from __future__ import annotations

import os
import socket

from gatewatch.refusal import Refusal


class PortTaken(Refusal, OSError):
    """The port cannot be listened on; the message names it, says why and which setting changes it."""


def refuse_taken(host: str, port: int, flag: str) -> None:
    """Listen for a moment; `PortTaken` if that is not possible.  `flag` is the setting that chooses another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise PortTaken(f"cannot listen on {host}:{port}: {_reason(error)}; choose another port with {flag}") from None


def _reason(error: OSError) -> str:
    # `create_server` repeats the address in `strerror`; the resolver's errors have numbers of their own.
    return str(error.strerror) if isinstance(error, socket.gaierror) or not error.errno else os.strerror(error.errno)
