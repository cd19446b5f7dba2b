"""The credentials file: which access keys may ask, with which secret, and whose they are.

It has the form of `~/.aws/credentials`; the name of a section is the user's name in audit events.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from gatewatch.refusal import Refusal


class BadCredentials(Refusal, ValueError):
    """The credentials file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An access key's secret and its user."""

    user_name: str
    secret: str


def read_credentials(path: Path) -> dict[str, Credential]:
    """The credentials in the file by access key id."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCredentials(f"the credentials file {path} cannot be read: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise BadCredentials(f"the credentials file {path} is wrong: {error}") from error
    found: dict[str, Credential] = {}
    for name in parser.sections():
        section = parser[name]
        key, secret = section.get("aws_access_key_id"), section.get("aws_secret_access_key")
        if not key or not secret:
            raise BadCredentials(f"{path}: [{name}] needs aws_access_key_id and aws_secret_access_key")
        found[key] = Credential(user_name=name, secret=secret)
    if not found:
        raise BadCredentials(f"the credentials file {path} holds no credentials")
    return found
