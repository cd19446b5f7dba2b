"""Tags of what ec2 has: CreateTags, DeleteTags, DescribeTags, and those that are given with a creation.

They are kept beside the network, by the id of what they are on.  A thing that the inventory names has that as its `Name` until
another is given here.

Source: EC2 API reference, "CreateTags", "DeleteTags", "DescribeTags"; EC2 user guide, "Tag restrictions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from forwarder.control.context import Context
from forwarder.ec2.change import refuse_dry_run
from forwarder.ec2.listing import Item, Listing, values_at
from forwarder.inventory import Inventory
from gatewatch.aws.error import AwsError

#: Tags of one resource, and characters of a key and of a value.
TAGS_MAX: Final = 50
KEY_CHARACTERS_MAX: Final = 128
VALUE_CHARACTERS_MAX: Final = 256
#: Resources in one call.
RESOURCES_MAX: Final = 1000

#: Kinds of the network by the resource type that tags say, with the code for one that does not exist.
_TYPES: Final = {
    "vpc": ("vpcs", "InvalidVpcID.NotFound"),
    "subnet": ("subnets", "InvalidSubnetID.NotFound"),
    "internet-gateway": ("internet_gateways", "InvalidInternetGatewayID.NotFound"),
    "instance": ("instances", "InvalidInstanceID.NotFound"),
    "route-table": ("route_tables", "InvalidRouteTableID.NotFound"),
    "vpc-endpoint": ("endpoints", "InvalidVpcEndpointId.NotFound"),
    "vpc-endpoint-service": ("endpoint_services", "InvalidVpcEndpointServiceId.NotFound"),
}
_PREFIXES: Final = {
    "vpc": "vpc", "subnet": "subnet", "igw": "internet-gateway", "i": "instance", "rtb": "route-table", "vpce": "vpc-endpoint",
    "vpce-svc": "vpc-endpoint-service",
}
_TAGS: Final = Listing(
    ids_member="", id_member="ResourceId", not_found="", what="tag",
    filters={
        "key": values_at("Key"), "value": values_at("Value"), "resource-id": values_at("ResourceId"),
        "resource-type": values_at("ResourceType"),
    },
)


def create_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CreateTags; the value of a key that is there is replaced."""
    resources, tags = _resources(context, parameters), _checked(parameters["Tags"])
    refuse_dry_run(parameters)
    for resource in resources:
        write_tags(context, resource, tags)
    return {}


def delete_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteTags: the keys given (with a value: only where it is that), or without any all; a key that is not there is no error."""
    resources, asked = _resources(context, parameters), parameters.get("Tags") or ()
    if any(not tag.get("Key") for tag in asked):
        raise AwsError("InvalidParameterValue", "Tag keys must be given")
    refuse_dry_run(parameters)
    for resource in resources:
        there = own_tags(context, resource)
        wanted = asked or [{"Key": key} for key in there]
        gone = [tag["Key"] for tag in wanted if tag.get("Value") in (None, there.get(tag["Key"]))]
        context.connection.executemany("DELETE FROM tags WHERE resource_arn = ? AND key = ?", [(resource, key) for key in gone])
    return {}


def describe_tags(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTags: of all that has some."""
    page, more = _TAGS.select(list(_all(context)), parameters)
    return {"Tags": page, **more}


def tags_of(context: Context, resource: str, name: str = "") -> list[dict[str, str]]:
    """What a thing's description shows; `name` is the inventory's."""
    tags = ({"Name": name} if name else {}) | own_tags(context, resource)
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def own_tags(context: Context, resource: str) -> dict[str, str]:
    """Those that were given through the API."""
    rows = context.connection.execute("SELECT key, value FROM tags WHERE resource_arn = ? ORDER BY key", (resource,))
    return {row["key"]: row["value"] for row in rows}


def given_tags(parameters: Mapping[str, Any], resource_type: str) -> dict[str, str]:
    """Those of `TagSpecifications` for what is being made; `InvalidParameterValue` for another type."""
    tags: list[Mapping[str, str]] = []
    for specification in parameters.get("TagSpecifications", ()):
        given = specification.get("ResourceType", resource_type)
        if given != resource_type:
            raise AwsError("InvalidParameterValue", f"'{given[:100]}' is not a valid taggable resource type for this operation.")
        tags += specification.get("Tags", ())
    return _checked(tags)


def write_tags(context: Context, resource: str, tags: Mapping[str, str]) -> None:
    """Give a resource these besides those it has; `TagLimitExceeded`."""
    if len({*own_tags(context, resource), *tags}) > TAGS_MAX:
        raise AwsError("TagLimitExceeded", f"The maximum number of tags of a resource, {TAGS_MAX}, has been reached.")
    context.connection.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", [(resource, *tag) for tag in tags.items()])


def forget_tags(context: Context, resource: str) -> None:
    """The resource is gone."""
    context.connection.execute("DELETE FROM tags WHERE resource_arn = ?", (resource,))


def _checked(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not key or len(key) > KEY_CHARACTERS_MAX or key.lower().startswith("aws:"):
            raise AwsError("InvalidParameterValue", f"Tag key '{key[:200]}' is not valid: 1 to {KEY_CHARACTERS_MAX} characters, not aws:…")
        if len(value) > VALUE_CHARACTERS_MAX:
            raise AwsError("InvalidParameterValue", f"Tag value of '{key}' exceeds the maximum length of {VALUE_CHARACTERS_MAX} characters")
        if key in found:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        found[key] = value
    return found


def _resources(context: Context, parameters: Mapping[str, Any]) -> list[str]:
    resources = list(dict.fromkeys(parameters["Resources"]))
    if len(resources) > RESOURCES_MAX:
        raise AwsError("InvalidParameterValue", f"No more than {RESOURCES_MAX} resources can be tagged at once")
    for resource in resources:
        resource_type = _PREFIXES.get(resource.rpartition("-")[0])
        if resource_type is None:
            raise AwsError("InvalidID", f"The ID '{resource[:100]}' is not valid")
        kind, code = _TYPES[resource_type]
        if all(thing.id != resource for thing in getattr(context.inventory, kind)):
            raise AwsError(code, f"The {resource_type} ID '{resource[:100]}' does not exist")
    return resources


def _all(context: Context) -> Iterator[Item]:
    for resource_type, (kind, _) in _TYPES.items():
        for thing in getattr(context.inventory, kind):
            for tag in tags_of(context, thing.id, named(context.inventory, thing.id)):
                yield {"ResourceId": thing.id, "ResourceType": resource_type, **tag}


def named(network: Inventory, resource: str) -> str:
    """The name that the inventory gives."""
    things: tuple[Any, ...] = (
        *network.vpcs, *network.subnets, *network.internet_gateways, *network.instances, *network.route_tables,
    )
    return next((thing.name for thing in things if thing.id == resource), "")
