"""Why a user's SQL gave no result."""

from __future__ import annotations


class SqlError(Exception):
    """Why a statement gave no result.

    `kind` is one of `syntax`, `name`, `type`, `refused`, `time`, `memory`, `size`, `failed`; `line` and `column` count
    from 1 and are None when the place is unknown; `hint` says what to do and may be empty.
    """

    def __init__(
        self, message: str, *, kind: str = "failed", line: int | None = None, column: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.kind, self.line, self.column, self.hint = message, kind, line, column, hint
