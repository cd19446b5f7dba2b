"""VPC Flow Log fields (versions 2-11 and gatewatch's own `gw-*`), formats, and the columns they become.

Source: Amazon VPC User Guide, "Flow log records".  Version 0 marks the fields AWS does not have.  A record is a line
of values separated by spaces; `-` means not applicable; columns in Parquet have underscores for hyphens.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from gatewatch.records.arrow_schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

#: Fields in Unix seconds, in their order.  Later times than their domain's are typing errors; each would open a folder in the lake.
TIMES = ("start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its name in a format, the version that brought it (0: gatewatch), its Parquet type, its meaning.

    Its domain, `-` apart: integers from `least` to `most` (None: as far as the type goes), one of `values` (empty: any text;
    only where AWS does not go on adding values), or with `address` an address of either family.
    """

    name: str
    version: int
    type: str
    meaning: str
    least: int | None = None
    most: int | None = None
    values: tuple[str, ...] = ()
    address: bool = False

    def __post_init__(self) -> None:
        assert not (self.values or self.address) or self.type == "string", self.name
        assert (self.least is None and self.most is None) or self.type != "string", self.name

    @property
    def domain(self) -> str:
        """What the field's values must be, as in `srcport is not between 0 and 65535`; empty where any of its type will do."""
        if self.address:
            return "an IPv4 or IPv6 address"
        if self.values:
            return " or ".join(self.values)
        if self.name in TIMES:
            return "between the years 1970 and 2100"
        if self.most is not None:
            return f"between {self.least} and {self.most}"
        return "" if self.least is None else f"{self.least} or more"

    @property
    def column(self) -> str:
        """Column name in Parquet."""
        return self.name.replace("-", "_")


def _load() -> dict[str, Field]:
    text = resources.files(__package__).joinpath("flow_log_fields.json").read_text(encoding="utf-8")
    entries = [entry | {"values": tuple(entry.get("values", ()))} for entry in json.loads(text)]
    return {entry["name"]: Field(**entry) for entry in entries}


#: Every field by name, in the order of the guide's table, gatewatch's own last.
FIELDS = _load()


def format_of(names: list[str]) -> str:
    """Write a format string, `${version} ${account-id} ...`."""
    return " ".join(f"${{{name}}}" for name in names)


def fields_of(format_string: str) -> list[Field]:
    """Read a format string; `ValueError` names what is wrong (an unknown or repeated field, text outside fields)."""
    names = re.findall(r"\$\{([^}]*)\}", format_string)
    if not names or format_of(names) != format_string:
        raise ValueError(f"a format is ${{field}} items separated by single spaces, not {format_string!r}")
    for name in names:
        if name not in FIELDS:
            raise ValueError(f"there is no flow-log field named {name!r}")
        if names.count(name) > 1:
            raise ValueError(f"field {name!r} is in the format twice")
    return [FIELDS[name] for name in names]


def schema_of(fields: list[Field]) -> pa.Schema:
    """Arrow schema of records with these fields, columns in the same order."""
    return arrow_schema({field.column: field.type for field in fields})


_OWN = [name for name, field in FIELDS.items() if field.version == 0]

#: AWS's default format: the fields of version 2.
DEFAULT_FORMAT = format_of([name for name, field in FIELDS.items() if field.version == 2])
#: What gatewatch emits: versions 2 to 5 and its own fields.
GATEWATCH_FORMAT = format_of([name for name, field in FIELDS.items() if 2 <= field.version <= 5] + _OWN)

# tcp-flags: FIN 1, SYN 2, RST 4 and SYN-ACK 18 are counted; a plain ACK, PSH and URG are not (same guide, "tcp-flags").
FIN, SYN, RST, SYN_ACK = 1, 2, 4, 18


def counted_tcp_flags(flags: int) -> int:
    """What a packet with these TCP header flags adds (by OR) to the record's `tcp-flags`."""
    if flags & 0x12 == 0x12:
        return SYN_ACK | (flags & 0x05)
    return flags & 0x07
