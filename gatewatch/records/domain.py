"""What numbers and texts of JSON records may be; a decoder refuses the others and names the field.

Makers of records are not checked (their types are `int` and `str`): only what is read from the bus is.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

#: Epoch milliseconds before the year 2100.  Later ones are typing errors, and each would open a folder in the lake.
TIME_LIMIT_MS = 4_102_444_800_000

Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]
Octet = Annotated[int, Meta(ge=0, le=255)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
EpochMs = Annotated[int, Meta(ge=0, lt=TIME_LIMIT_MS)]
