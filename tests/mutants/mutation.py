"""Places in a source where a small change should make a test fail, and the source with one of them changed.  No I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A change: where (line, from 1), what it says there and what instead, and the whole source with it."""

    line: int
    before: str
    after: str
    source: str


def mutations(source: str) -> list[Mutation]:
    """Every change that is known how to make, in the order of the source."""
    tree = ast.parse(source)
    skipped = {id(node) for node in _outside(tree)}
    found = [
        mutation for node in ast.walk(tree) if id(node) not in skipped
        for changed in _changed(node) if (mutation := _mutation(source, node, changed)) is not None
    ]
    return sorted(found, key=lambda each: (each.line, each.before))


def _outside(tree: ast.AST) -> Iterator[ast.AST]:
    """Annotations and assertions: no test can, or should, notice those."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.Assert):
            parts = [node]
        elif isinstance(node, ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns, *(argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg))]
        for part in parts:
            if part is not None:
                yield from ast.walk(part)


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield ast.Compare(node.left, [_COMPARED[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in _CALCULATED:
        yield ast.BinOp(node.left, _CALCULATED[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)


def _mutation(source: str, node: ast.AST, changed: ast.expr) -> Mutation | None:
    """None for what goes over several lines, which a list of survivors could not show."""
    assert isinstance(node, ast.expr)
    if node.end_lineno != node.lineno or node.end_col_offset is None:
        return None
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    after = f"({ast.unparse(ast.fix_missing_locations(changed))})"
    before = line[node.col_offset:node.end_col_offset].decode()
    lines[node.lineno - 1] = (line[:node.col_offset] + after.encode() + line[node.end_col_offset:]).decode()
    whole = "".join(lines)
    try:
        ast.parse(whole)
    except SyntaxError:  # within an f-string, say
        return None
    return Mutation(line=node.lineno, before=before, after=after, source=whole)
