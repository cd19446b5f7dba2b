"""An answer."""

from __future__ import annotations

from gatewatch.aws.answer import Answer


def test_an_answer_that_is_no_error_has_no_code() -> None:
    made = Answer(status=200, body=b"", content_type="text/plain")
    assert (made.code, made.headers) == ("", {})
