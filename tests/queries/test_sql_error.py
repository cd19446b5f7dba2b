"""An error keeps what a page and a terminal show of it."""

from __future__ import annotations

from queries.sql_error import SqlError


def test_an_error_has_its_place_and_what_to_do() -> None:
    error = SqlError("no such column", kind="name", line=2, column=3, hint="did you mean bytes?")
    assert str(error) == error.message == "no such column"
    assert (error.kind, error.line, error.column, error.hint) == ("name", 2, 3, "did you mean bytes?")
    assert (SqlError("x").kind, SqlError("x").line, SqlError("x").hint) == ("failed", None, "")
