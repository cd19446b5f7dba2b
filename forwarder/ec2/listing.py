"""What the ec2 Describe operations share: ids, filters, pages and the dry run (EC2 API reference, "Query requests")."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatewatch.aws.error import AwsError

Item = dict[str, Any]
#: Under this name a listing's filters have the function that gives an item's tags, key and value with a zero between them.
_TAGS: Final = "tag:"

#: Items on a page, if the caller does not say, and at most.
PAGE_ITEMS_MAX: Final = 1000
#: Values in one filter, and filters in one request.
FILTER_VALUES_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How one kind of thing is asked for.

    `ids_member` is the request member with ids and `id_member` the item's; `filters` say which values of an item a
    filter compares.
    """

    ids_member: str
    id_member: str
    not_found: str
    what: str
    filters: Mapping[str, Callable[[Item], Sequence[str]]]

    def select(self, items: Sequence[Item], parameters: Mapping[str, Any]) -> tuple[list[Item], dict[str, str]]:
        """The page of items asked for, and `{}` or `{"NextToken": …}`."""
        if parameters.get("DryRun"):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        wanted = parameters.get(self.ids_member) or []
        if wanted and parameters.get("MaxResults"):
            raise AwsError(
                "InvalidParameterCombination", f"The parameter {self.ids_member} cannot be used with MaxResults"
            )
        chosen = self._named(items, wanted) if wanted else list(items)
        chosen = [item for item in chosen if all(self._matches(item, given) for given in parameters.get("Filters", ()))]
        return self._page(chosen, parameters)

    def _named(self, items: Sequence[Item], wanted: Sequence[str]) -> list[Item]:
        by_id = {item[self.id_member]: item for item in items}
        missing = [name for name in dict.fromkeys(wanted) if name not in by_id]
        if missing:
            raise AwsError(self.not_found, f"The {self.what} '{', '.join(missing)[:300]}' does not exist")
        return [by_id[name] for name in dict.fromkeys(wanted)]

    def _matches(self, item: Item, given: Mapping[str, Any]) -> bool:
        name, values = given.get("Name", ""), given.get("Values", [])
        if name.startswith("tag:") and _TAGS in self.filters:
            key = name.removeprefix("tag:") + "\0"
            tagged = [value.removeprefix(key) for value in self.filters[_TAGS](item) if value.startswith(key)]
            return any(_like(value, pattern) for value in tagged for pattern in values)
        if name not in self.filters or name == _TAGS:
            raise AwsError("InvalidParameterValue", f"The filter '{name[:100]}' is invalid")
        if len(values) > FILTER_VALUES_MAX:
            raise AwsError("FilterLimitExceeded", f"A filter can have {FILTER_VALUES_MAX} values")
        return any(_like(value, pattern) for value in self.filters[name](item) for pattern in values)

    def _page(self, items: list[Item], parameters: Mapping[str, Any]) -> tuple[list[Item], dict[str, str]]:
        first = _place(parameters.get("NextToken"))
        size = parameters.get("MaxResults", PAGE_ITEMS_MAX)
        page = items[first:first + size]
        if first + size >= len(items):
            return page, {}
        return page, {"NextToken": base64.urlsafe_b64encode(f"from:{first + size}".encode()).decode("ascii")}


def tag_filters(member: str = "Tags") -> dict[str, Callable[[Item], Sequence[str]]]:
    """The filter `tag-key`; where it is, `tag:KEY` is, too."""
    return {"tag-key": values_at(member, "Key"), _TAGS: lambda item: [f"{tag['Key']}\0{tag['Value']}" for tag in item[member]]}


def values_at(*path: str) -> Callable[[Item], Sequence[str]]:
    """A filter on what is found along `path`, through every item of a list on the way."""
    return lambda item: list(_texts(item, path))


def _texts(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
    elif path:
        if path[0] in value:
            yield from _texts(value[path[0]], path[1:])
    else:
        yield ("true" if value else "false") if isinstance(value, bool) else str(value)


def _like(value: str, pattern: str) -> bool:
    # `*` and `?` are wildcards, a backslash takes their meaning away; brackets mean themselves.
    translated = fnmatch.translate(pattern.replace("[", "[[]")) if "\\" not in pattern else _escaped(pattern)
    return re.fullmatch(translated, value) is not None


def _escaped(pattern: str) -> str:
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return "".join(wild.get(piece) or re.escape(piece.removeprefix("\\") or piece) for piece in pieces)


def _place(token: str | None) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii")).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    number = text.removeprefix("from:")
    if not text.startswith("from:") or not number.isdigit() or len(number) > 9:
        raise AwsError("InvalidNextToken", "The token is not valid")
    return int(number)
