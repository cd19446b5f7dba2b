"""The log that carries records between services: `open_publisher` and `open_consumer` are its two doors.

Both buses give the same promise: messages of one origin and topic arrive in order of their gapless `seq`, at least
once; whoever stores the last `seq` with the data it wrote has each message exactly once.
"""

from gatewatch.bus.hand_over import hand_over
from gatewatch.bus.message import Consumer, Draft, Message, Publisher
from gatewatch.bus.open import open_consumer, open_publisher

__all__ = ["Consumer", "Draft", "Message", "Publisher", "hand_over", "open_consumer", "open_publisher"]
