from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree

from dashboards.figures.sparkline import HEIGHT, WIDTH, sparkline
from queries.metric_statistics import Point


def svg_of(*points: tuple[int, float]) -> ElementTree.Element:
    uri = sparkline([Point(timestamp_s=time_s, value=value) for time_s, value in points], start_s=0, end_s=100,
                    colour="#112233")
    kind, _, body = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(body))


def coordinates(line: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(pair.split(",")[0]), float(pair.split(",")[1])) for pair in line.attrib["points"].split()]


def test_the_line_runs_from_left_to_right_inside_the_picture() -> None:
    svg = svg_of((0, 0.0), (50, 10.0), (99, 5.0))
    line = coordinates(next(each for each in svg if each.tag.endswith("polyline")))
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)
    assert line[1][1] < line[2][1] < line[0][1]  # upwards is less


def test_points_outside_the_range_are_not_drawn() -> None:
    line = coordinates(next(each for each in svg_of((-5, 9.0), (10, 1.0), (20, 1.0), (100, 9.0)) if "line" in each.tag))
    assert len(line) == 2


def test_one_point_is_a_dot_and_none_is_nothing() -> None:
    assert [each.tag.rpartition("}")[2] for each in svg_of((10, 1.0))] == ["circle"]
    assert list(svg_of()) == []


def test_zeros_are_a_line_at_the_bottom() -> None:
    line = coordinates(next(each for each in svg_of((0, 0.0), (50, 0.0)) if each.tag.endswith("polyline")))
    assert {y for _, y in line} == {HEIGHT - 2}
