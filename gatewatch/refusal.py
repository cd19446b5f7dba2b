"""What a person has to put right before gatewatch can go on: told in one line, never as a traceback."""

from __future__ import annotations


class Refusal(Exception):
    """Something outside the program is not as it must be; the message says what, where, and what to do.

    The front door prints it and exits with 2.  Bugs are never of this kind.
    """
