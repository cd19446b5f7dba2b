"""What is changed in a source, and what is left alone."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.mutation import mutations


@pytest.mark.parametrize(("source", "expected"), [
    ("a < b\n", ["(a <= b)"]), ("a is None\n", ["(a is not None)"]), ("x = a and b\n", ["(a or b)"]),
    ("x = not a\n", ["(a)"]), ("x = True\n", ["(False)"]), ("x = 7\n", ["(8)"]), ("x = a + b\n", ["(a - b)"]),
    ("x = 'text'\n", []), ("assert a < 3\n", []), ("x: 'int' = a\n", []), ("def f(a: bool = b) -> None: ...\n", []),
])
def test_the_changes_to_a_source(source: str, expected: list[str]) -> None:
    assert [each.after for each in mutations(source)] == expected


def test_only_that_place_is_changed() -> None:
    source = "é = 'ü'; b = 1 if é < c else 2\nd = 3\n"
    for each in mutations(source):
        ast.parse(each.source)
        assert each.source.replace(each.after, each.before, 1) == source
    assert len(mutations(source)) == 4


def test_what_goes_over_lines_is_left_alone() -> None:
    assert mutations("x = (a <\n  b)\n") == []
