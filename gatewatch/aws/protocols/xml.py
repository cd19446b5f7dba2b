"""Values as the XML of the query and ec2 protocols, written along their shapes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import Shape

from gatewatch.aws.answer import Answer

#: What XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(status: int, body: str, request_id: str, *, code: str = "") -> Answer:
    """An answer that is an XML document; `code` is an error's."""
    made = Answer(
        status=status, body=('<?xml version="1.0" encoding="UTF-8"?>\n' + body).encode(),
        content_type="text/xml;charset=UTF-8", headers={"x-amzn-RequestId": request_id},
    )
    return replace(made, code=code) if code else made


def members(shape: Shape, values: Mapping[str, Any], protocol: str) -> Iterator[str]:
    """The members of a structure as elements; `protocol` is `query` or `ec2`, which name the items of lists differently."""
    strangers = values.keys() - shape.members.keys()
    assert not strangers, f"{shape.name} has no members {sorted(strangers)}"
    for name, member in shape.members.items():
        value = values.get(name)
        if value is not None:
            yield from _element(member, str(member.serialization.get("name", name)), value, protocol)


def _element(shape: Shape, name: str, value: Any, protocol: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield f"<{name}>{''.join(members(shape, value, protocol))}</{name}>"
    elif shape.type_name == "list":
        yield from _list(shape, name, value, protocol)
    elif shape.type_name == "map":
        entries = (
            f"<entry><key>{text(key)}</key>{''.join(_element(shape.value, 'value', item, protocol))}</entry>"
            for key, item in value.items()
        )
        yield f"<{name}>{''.join(entries)}</{name}>"
    else:
        yield f"<{name}>{text(_scalar_text(value))}</{name}>"


def _list(shape: Shape, name: str, items: list[Any], protocol: str) -> Iterator[str]:
    item_name = str(shape.member.serialization.get("name", "item" if protocol == "ec2" else "member"))
    if shape.serialization.get("flattened"):
        for item in items:
            yield from _element(shape.member, name, item, protocol)
        return
    inner = "".join(part for item in items for part in _element(shape.member, item_name, item, protocol))
    yield f"<{name}>{inner}</{name}>"


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def text(value: str) -> str:
    """Escaped; what XML 1.0 cannot hold becomes U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", value))
