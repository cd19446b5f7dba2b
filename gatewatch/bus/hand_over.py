"""What a service does last with its records: give the broker a while to take them all."""

from __future__ import annotations

from gatewatch.bus.message import Publisher

#: How long the broker may take for the last records when a service stops; below the supervisor's patience.
HAND_OVER_S = 10.0


def hand_over(publisher: Publisher) -> bool:
    """Wait until the broker has everything.  False, and said, when it has not: the rest stays in the spool for next time."""
    handed_over = publisher.flush(HAND_OVER_S)
    if not handed_over:
        import structlog  # here: `gatewatch status` reads spools and never logs

        held = sum(count.held for count in publisher.counts())
        structlog.get_logger("bus").warning("the broker has not taken everything; the rest stays in the spool", messages=held)
    return handed_over
