"""Pages of a listing: `Marker` in, `NextMarker` out, `PageSize` 1 to 400.

A marker is the place of the last item shown, in order of creation, so that items made or deleted between two pages
neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gatewatch.aws.error import invalid

PAGE_ITEMS_MAX: Final = 400
_PREFIX: Final = "after:"


def first_order(parameters: Mapping[str, Any]) -> int:
    """The place after which the page begins: 0 without a marker."""
    marker = parameters.get("Marker")
    if not marker:
        return 0
    try:
        text = base64.urlsafe_b64decode(marker.encode("ascii")).decode("ascii")
        place = int(text.removeprefix(_PREFIX))
    except (ValueError, binascii.Error):
        raise invalid(f"The marker '{marker[:100]}' is not valid") from None
    if not text.startswith(_PREFIX) or not 0 < place < 1 << 63:
        raise invalid(f"The marker '{marker[:100]}' is not valid")
    return place


def page_size(parameters: Mapping[str, Any]) -> int:
    """Items on a page."""
    size: int = parameters.get("PageSize", PAGE_ITEMS_MAX)
    return size


def page(rows: Sequence[sqlite3.Row], parameters: Mapping[str, Any]) -> tuple[Sequence[sqlite3.Row], dict[str, str]]:
    """Cut `rows`, of which one more than a page was read, and tell how to go on: `{}` or `{"NextMarker": …}`."""
    size = page_size(parameters)
    if len(rows) <= size:
        return rows, {}
    marker = base64.urlsafe_b64encode(f"{_PREFIX}{rows[size - 1]['created_order']}".encode()).decode("ascii")
    return rows[:size], {"NextMarker": marker}
