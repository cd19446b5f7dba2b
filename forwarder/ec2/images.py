"""What instances can be made of: a small catalogue of images that the lab runs in a namespace.

Source: EC2 API reference, "DescribeImages".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from forwarder.control.context import Context
from forwarder.ec2.listing import Item, Listing, values_at
from gatewatch.aws.error import AwsError

#: Name and description of each image by its id; an instance's `image` is the name.
IMAGES: Final = {
    "ami-00000000000000001": ("server", "answers HTTP, DNS and SSH openings, as the lab's servers do"),
    "ami-00000000000000002": ("appliance", "an inspecting appliance behind GENEVE, as the lab's are"),
    "ami-00000000000000003": ("", "a network namespace with an interface and nothing that runs; for a command of your own"),
}

_IMAGES: Final = Listing(
    ids_member="ImageIds", id_member="ImageId", not_found="InvalidAMIID.NotFound", what="image id",
    filters={
        "image-id": values_at("ImageId"), "name": values_at("Name"), "state": values_at("State"), "is-public": values_at("Public"),
        "owner-id": values_at("OwnerId"), "description": values_at("Description"),
    },
)


def describe_images(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeImages; all are the account's own."""
    owners = {"self", context.account_id}
    wanted = not parameters.get("Owners") or owners.intersection(parameters["Owners"])
    items = [_item(context, image_id) for image_id in IMAGES] if wanted else []
    page, more = _IMAGES.select(items, parameters)
    return {"Images": page, **more}


def image_of(image_id: str) -> str:
    """What an instance of that image runs; `InvalidAMIID.NotFound`."""
    if image_id not in IMAGES:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id[:100]}]' does not exist")
    return IMAGES[image_id][0]


def image_member(image: str) -> dict[str, str]:
    """The id of what an instance runs; nothing for what the inventory calls otherwise."""
    known = [image_id for image_id, (name, _) in IMAGES.items() if name == image]
    return {"ImageId": known[0]} if known else {}


def _item(context: Context, image_id: str) -> Item:
    name, description = IMAGES[image_id]
    return {
        "ImageId": image_id, "Name": f"gatewatch-{name or 'empty'}", "Description": description, "State": "available",
        "OwnerId": context.account_id, "Public": False, "ImageType": "machine",
    }
