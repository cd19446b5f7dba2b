from __future__ import annotations

from typing import Any

from dashboards.console import Console
from dashboards.pages import audit
from tests.dashboards.small_lake import look_at


def refreshed(console: Console, query: str = "") -> tuple[list[dict[str, Any]], str, int]:
    note, rows, _, extent, pages = audit.refresh(look_at(console, f"/audit?range=15m{query}"), console)
    assert note is None
    return rows, extent, pages


def test_the_history_opens_with_changes_only_as_cloudtrails_does(console: Console) -> None:
    rows, extent, pages = refreshed(console)
    assert [row["name"] for row in rows] == ["DeleteLoadBalancer", "CreateLoadBalancer"]
    assert (extent, pages) == ("newest first, 1–2 of 2", 1)


def test_other_filters(console: Console) -> None:
    assert [row["name"] for row in refreshed(console, "&read=true")[0]] == ["DescribeTargetHealth"]
    assert len(refreshed(console, "&read=any")[0]) == 3
    assert [row["name"] for row in refreshed(console, "&text=has%20a%20listener")[0]] == ["DeleteLoadBalancer"]
    assert refreshed(console, "&user=bob")[:2] == ([], "nothing in this range matches")


def test_a_row_has_cloudtrails_columns(console: Console) -> None:
    row = refreshed(console)[0][0]
    assert (row["user"], row["source"], row["time_text"]) == (
        "alice", "elasticloadbalancing.amazonaws.com", "2026-11-23 01:00:06")
    assert (row["type"], row["resource"]) == ("AWS::ElasticLoadBalancingV2::LoadBalancer", "inspection")
    assert (row["error"], row["error_tone"], row["message"]) == ("ResourceInUse", "red", "it has a listener")


def test_a_record_is_shown_indented_and_text_that_is_none_as_it_is() -> None:
    assert audit.record_view('{"a":{"b":1}}')[1].children == '{\n  "a": {\n    "b": 1\n  }\n}'
    assert audit.record_view("not a record")[1].children == "not a record"
