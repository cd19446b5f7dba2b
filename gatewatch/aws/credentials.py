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
    except UnicodeDecodeError as error:
        raise BadCredentials(f"the credentials file {path} is wrong: it is not UTF-8") from error
    except configparser.ParsingError as error:
        # Not the error's own text, nor the error as the cause: both repeat the line, which may be a secret.
        place = getattr(error, "lineno", None) or error.errors[0][0]
        raise BadCredentials(
            f"the credentials file {path} is wrong: line {place} is neither [user] nor name = value below one"
        ) from None
    except configparser.Error as error:
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
