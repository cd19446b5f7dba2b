"""The credentials file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.aws.credentials import BadCredentials, Credential, read_credentials


def test_users_by_access_key(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(
        "[alice]\naws_access_key_id = AKIA1\naws_secret_access_key = a%b\n"
        "[bob]\naws_access_key_id=AKIA2\naws_secret_access_key=c\n", encoding="utf-8",
    )
    assert read_credentials(path) == {
        "AKIA1": Credential(user_name="alice", secret="a%b"), "AKIA2": Credential(user_name="bob", secret="c"),
    }


@pytest.mark.parametrize(("text", "line"), [
    ("[alice]\naws_access_key_id = AKIA1\nwJalrXUtnFEMI\n", 3), ("aws_secret_access_key = wJalrXUtnFEMI\n", 1),
])
def test_a_wrong_line_is_named_and_not_repeated(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "credentials"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadCredentials, match=f"is wrong: line {line} ") as caught:
        read_credentials(path)
    assert "wJalrXUtnFEMI" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("text", "reason"), [
    ("", "no credentials"), ("[alice]\naws_access_key_id = AKIA1\n", "needs aws_access_key_id"), ("what", "is wrong"),
])
def test_a_wrong_file_says_why(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "credentials"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadCredentials, match=reason):
        read_credentials(path)
    with pytest.raises(BadCredentials, match="cannot be read"):
        read_credentials(tmp_path / "other")
