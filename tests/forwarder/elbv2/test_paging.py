"""Markers: what was given comes back, what was not is refused."""

from __future__ import annotations

import base64
import sqlite3

import pytest

from forwarder.elbv2.paging import first_order, page
from gatewatch.aws.error import AwsError


def rows(count: int) -> list[sqlite3.Row]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    found = connection.execute(
        "WITH RECURSIVE n(created_order) AS (VALUES (1) UNION ALL SELECT created_order + 1 FROM n LIMIT ?) SELECT * FROM n",
        (count,),
    ).fetchall()
    connection.close()
    return found


def test_a_marker_goes_on_behind_the_last_item_shown() -> None:
    shown, more = page(rows(4), {"PageSize": 3})
    assert [row["created_order"] for row in shown] == [1, 2, 3]
    assert first_order({"Marker": more["NextMarker"]}) == 3


def test_the_last_page_has_no_marker() -> None:
    assert page(rows(3), {"PageSize": 3})[1] == {}
    assert first_order({}) == 0


@pytest.mark.parametrize("marker", ["x", "ä", base64.b64encode(b"after:-1").decode(), base64.b64encode(b"7").decode()])
def test_a_marker_that_was_never_given(marker: str) -> None:
    with pytest.raises(AwsError, match="is not valid"):
        first_order({"Marker": marker})
