"""The one error that the codec raises: bytes that are not the packet they should be."""

from __future__ import annotations


class MalformedPacket(ValueError):
    """A packet that cannot be read; `reason` says in a few words what was expected and is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
