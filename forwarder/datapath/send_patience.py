"""How long a full send queue is waited for: a few short pauses that the packets of a batch share."""

from __future__ import annotations

import errno
import time

#: Times a full send queue is tried again within one batch, and how long each waits.  Together 10 ms at most.
SEND_RETRIES_MAX = 20
SEND_RETRY_S = 0.0005

_BUSY = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM)


class SendPatience:
    """The pauses of one sender.  Costs nothing as long as sending succeeds.  `retries` counts them all."""

    def __init__(self) -> None:
        self.retries = 0
        self._left = SEND_RETRIES_MAX

    def renew(self) -> None:
        """Give the next batch its share: one full queue must not hold up the loop for every packet in turn."""
        self._left = SEND_RETRIES_MAX

    def again(self, error: OSError) -> bool:
        """Whether to send once more, after a pause; False when waiting does not help, or has lasted long enough."""
        if error.errno not in _BUSY or self._left == 0:
            return False
        self._left -= 1
        self.retries += 1
        time.sleep(SEND_RETRY_S)
        return True
