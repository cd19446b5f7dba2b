"""The catalogue of images."""

from __future__ import annotations

from typing import Any

import pytest

from forwarder.ec2.images import IMAGES, image_member, image_of
from forwarder.lab.wiring import APPLIANCE, SERVER
from gatewatch.aws.error import AwsError


def test_images_are_found_by_id_name_and_owner(lab_api: Any) -> None:
    def found(**more: Any) -> list[str]:
        return [image["Name"] for image in lab_api.call("ec2", "DescribeImages", **more)["Images"]]

    assert found() == ["gatewatch-server", "gatewatch-appliance", "gatewatch-empty"]
    assert found(Owners=["self"]) == found()
    assert found(Owners=["amazon"]) == []
    assert found(Filters=[{"Name": "name", "Values": ["*app*"]}]) == ["gatewatch-appliance"]
    assert found(ImageIds=["ami-00000000000000003"]) == ["gatewatch-empty"]


def test_every_image_is_one_that_the_lab_knows() -> None:
    assert {image_of(image_id) for image_id in IMAGES} == {SERVER, APPLIANCE, ""}
    assert [image_member(image_of(image_id)) for image_id in IMAGES] == [{"ImageId": image_id} for image_id in IMAGES]
    assert image_member("somebody's own") == {}
    with pytest.raises(AwsError) as refused:
        image_of("ami-1")
    assert refused.value.code == "InvalidAMIID.NotFound"
