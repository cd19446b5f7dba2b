"""Which statements a user may run: one that reads, over tables of the lake, with functions that touch nothing else.

The decision is made on the tree of DuckDB's own parser (`json_serialize_sql`), so that there is no second grammar to
disagree with it.  It is an allow-list of query nodes, tables and functions (`sql_functions`): DuckDB also takes data-changing
parts inside a SELECT (`WITH a AS (COPY … TO 'file') SELECT …`), reads files named like tables (`FROM 'x.csv'`), and
has table functions that write (`enable_logging`).  The worker's own limits (no external access, no file growth) stand
behind it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from gatewatch.records.tables import TABLES
from queries import sql_functions
from queries.sql_error import SqlError

#: Longest statement, in characters.
STATEMENT_CHARACTERS_MAX = 100_000

_QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"}
# A carriage return ends DuckDB's line comments as a line feed does.
_COMMENTS = re.compile(r"(?:\s+|--[^\r\n]*(?:[\r\n]|$)|/\*.*?\*/)*", re.DOTALL)
_EXPLAIN = re.compile(r"EXPLAIN(?:\s+ANALYZE)?(?:\s*\(\s*(?:ANALYZE|FORMAT\s+\w+)\s*\))?\s+", re.IGNORECASE)
_LIKE_A_FILE = re.compile(r"[./\\:*?\[]")
_NO_PLACE = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A statement that may run, and the tables of the lake it needs.

    `runs` is what DuckDB is to be given: the statement with what stands before it blanked, as many bytes.  Only what
    was parsed here can run then, whatever DuckDB would see in a comment that this module passed over.
    """

    sql: str
    runs: str
    tables: tuple[str, ...]


def place(sql: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a byte offset in the statement's UTF-8 text."""
    before = sql.encode()[:offset].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> Checked:
    """Decide on one statement; `connection` only parses.  Raises `SqlError`."""
    if len(sql) > STATEMENT_CHARACTERS_MAX:
        raise SqlError(f"the statement is longer than {STATEMENT_CHARACTERS_MAX} characters", kind="refused")
    if "\0" in sql:
        raise SqlError("the statement contains a NUL character", kind="syntax")
    tree, runs, offset = _tree(connection, sql)
    tables = set(TABLES) if _lists_tables(tree) else set()
    with_names = set(_with_names(tree))
    for node in _objects(tree):
        _check_node(sql, offset, node, with_names)
        tables |= {name for name in _table_names(node) if name in TABLES and name not in with_names}
        # A WITH name may hide a table in one place and not in another: then the table is needed as well.
        tables |= {name for name in _table_names(node) if name in TABLES}
    return Checked(sql=sql, runs=runs, tables=tuple(sorted(tables)))


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, str, int]:
    """The parsed query, the statement without what stands before it, and the query's byte offset (after EXPLAIN)."""
    start = _COMMENTS.match(sql)
    assert start is not None, "the pattern matches empty text"
    begin = start.end()
    if begin == len(sql.rstrip().rstrip(";")):
        raise SqlError("there is no statement", kind="syntax", hint="write a SELECT")
    runs = _blank(sql[:begin]) + sql[begin:]
    explain = _EXPLAIN.match(sql, begin)
    begin = explain.end() if explain else begin
    offset = len(sql[:begin].encode())
    [answer] = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql[begin:]]).fetchall()
    try:
        tree = json.loads(answer[0])
    except RecursionError:
        raise _too_deep() from None
    if tree["error"]:
        raise _parse_error(sql, offset, tree)
    if len(tree["statements"]) != 1:
        raise SqlError(
            f"there are {len(tree['statements'])} statements", kind="refused", hint="run one statement at a time"
        )
    return tree, runs, offset


def _blank(text: str) -> str:
    """As many bytes of space, with the line feeds where they were."""
    return "".join(each if each == "\n" else " " * len(each.encode()) for each in text)


def _too_deep() -> SqlError:
    return SqlError("the statement is nested too deeply", kind="syntax", hint="write long chains with fewer operators")


def _parse_error(sql: str, offset: int, tree: dict[str, Any]) -> SqlError:
    message = str(tree.get("error_message", "the statement cannot be read"))
    if message.startswith("Max expression depth"):
        return _too_deep()
    if tree.get("error_type") not in ("parser", "not implemented"):
        return SqlError(message, kind="memory" if tree.get("error_type") == "out of memory" else "failed")
    if tree.get("error_type") == "parser" and "position" in tree:
        line, column = place(sql, offset + int(tree["position"]))
        return SqlError(message, kind="syntax", line=line, column=column)
    if tree.get("error_type") == "parser":
        return SqlError(message, kind="syntax")
    return SqlError(
        "only a statement that reads can run here: SELECT, WITH, EXPLAIN, DESCRIBE, SUMMARIZE or SHOW", kind="refused",
        hint="in place of PIVOT write GROUP BY and FILTER" if "pivot" in sql.lower() else "the lake is read-only",
    )


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object of the tree, without recursion: a statement can be nested deeply."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _with_names(tree: Any) -> Iterator[str]:
    for node in _objects(tree):
        entries = node.get("cte_map")
        if isinstance(entries, dict):
            yield from (str(entry["key"]).lower() for entry in entries.get("map", []))
        if node.get("type") in ("CTE_NODE", "RECURSIVE_CTE_NODE"):
            yield str(node.get("cte_name", node.get("ctename", ""))).lower()


def _table_names(node: dict[str, Any]) -> Iterator[str]:
    if node.get("type") in ("BASE_TABLE", "SHOW_REF"):
        yield from (str(part).strip('"').lower() for part in node["qualified_name"]["path"][-1:])


def _lists_tables(tree: Any) -> bool:
    for node in _objects(tree):
        if node.get("type") == "SHOW_REF" and node.get("show_type") == "SHOW_SPECIAL":
            return True
        if node.get("type") == "TABLE_FUNCTION" or node.get("schema_name") == "information_schema":
            return True
    return False


def _check_node(sql: str, offset: int, node: dict[str, Any], with_names: set[str]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _QUERY_NODES:
        raise SqlError(
            f"{kind.split('_')[0]} inside a query changes data and cannot run here", kind="refused",
            hint="the lake is read-only",
        )
    if kind == "BASE_TABLE":
        _check_table(sql, offset, node, with_names)
    elif kind == "TABLE_FUNCTION":
        function = str(node["function"].get("function_name", "")).lower()
        if function not in sql_functions.TABLE_FUNCTIONS:
            raise _refused(sql, offset, node, f"the table function {function} cannot be used here")
    elif "function_name" in node:
        _check_function(sql, offset, node)


def _check_function(sql: str, offset: int, node: dict[str, Any]) -> None:
    """A call of any kind: plain, aggregate or window, operators too, under whatever schema it is written."""
    name = str(node["function_name"]).lower()
    if name in sql_functions.ALLOWED or name in sql_functions.TABLE_FUNCTIONS:
        return
    line, column = _place_of(sql, offset, node)
    if name in sql_functions.REFUSED:
        raise SqlError(f"the function {name} cannot be used here", kind="refused", line=line, column=column,
                       hint="settings and the server's state are no data")
    near = sql_functions.like(name)
    raise SqlError(f"there is no function named {name}", kind="name", line=line, column=column,
                   hint=f"did you mean {near}?" if near else "")


def _check_table(sql: str, offset: int, node: dict[str, Any], with_names: set[str]) -> None:
    path = [str(part).lower() for part in node["qualified_name"]["path"]]
    if len(path) == 1 and path[0] in with_names and _LIKE_A_FILE.search(path[0]):
        # Where the WITH does not reach, DuckDB would take it for a file of the lake that nobody published.
        raise _refused(sql, offset, node, f"{path[0]} cannot be the name of a table: it looks like a file")
    if len(path) == 1 and (path[0] in TABLES or path[0] in with_names):
        return
    if len(path) == 2 and path[0] == "information_schema" and path[1] in ("tables", "columns", "schemata"):
        return
    line, column = _place_of(sql, offset, node)
    close = difflib.get_close_matches(path[-1], [*TABLES, *with_names], n=1)
    raise SqlError(
        f"there is no table named {'.'.join(path)}", kind="name", line=line, column=column,
        hint=f"did you mean {close[0]}?" if close else f"tables are {', '.join(sorted(TABLES))}",
    )


def _refused(sql: str, offset: int, node: dict[str, Any], message: str) -> SqlError:
    line, column = _place_of(sql, offset, node)
    tables = ", ".join(sorted(TABLES))
    return SqlError(message, kind="refused", line=line, column=column, hint=f"the tables to ask are {tables}")


def _place_of(sql: str, offset: int, node: dict[str, Any]) -> tuple[int | None, int | None]:
    location = node.get("query_location", _NO_PLACE)
    return (None, None) if location == _NO_PLACE else place(sql, offset + int(location))
