"""The inventory file: read whole, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from forwarder.inventory import BadInventory, read_inventory

GOOD = """
[[zones]]
name = "us-east-1a"
id = "use1-az1"
[[vpcs]]
id = "vpc-1"
cidr = "10.0.0.0/16"
[[subnets]]
id = "subnet-1"
vpc_id = "vpc-1"
cidr = "10.0.1.0/24"
zone = "us-east-1a"
[[nodes]]
interface_id = "eni-2"
subnet_id = "subnet-1"
address = "10.0.1.20"
device = "eth2"
[[endpoints]]
id = "vpce-1"
interface_id = "eni-1"
subnet_id = "subnet-1"
address = "10.0.1.10"
device = "eth1"
router_mac = "02:00:00:00:00:01"
provider_vpc_id = "vpc-1"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "inventory.toml"
    file.write_text(text)
    return file


def test_everything_is_read(tmp_path: Path) -> None:
    inventory = read_inventory(written(tmp_path, GOOD))
    assert inventory.vpc("vpc-1") is not None
    assert inventory.vpc("vpc-2") is None
    subnet = inventory.subnet("subnet-1")
    assert subnet is not None
    assert inventory.zone_id(subnet.zone) == "use1-az1"
    assert inventory.zone_id("us-east-1z") == "-"
    assert (inventory.endpoints[0].device, inventory.nodes[0].netns) == ("eth1", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('vpc_id = "vpc-1"\ncidr', 'vpc_id = "vpc-9"\ncidr'),
            "subnet subnet-1 is in vpc-9, which is not among the VPCs",
        ),
        (
            ('zone = "us-east-1a"', 'zone = "moon-1a"'),
            "subnet subnet-1 is in zone moon-1a, which is not among the zones",
        ),
        (
            ('subnet_id = "subnet-1"\naddress = "10.0.1.20"', 'subnet_id = "subnet-9"\naddress = "10.0.1.20"'),
            "eni-2 is in subnet-9",
        ),
        (('interface_id = "eni-2"\n', ""), "missing required field `interface_id`"),
        (("[[zones]]", "[[zones]"), "is wrong"),
        (('cidr = "10.0.0.0/16"', 'cidr = "10.0.0.1/16"'), "vpc-1 has the cidr '10.0.0.1/16': .* has host bits set"),
        (('cidr = "10.0.1.0/24"', 'cidr = "10.0.1.0/33"'), "subnet-1 has the cidr"),
        (('address = "10.0.1.20"', 'address = "fd00::20"'), "eni-2 has the address 'fd00::20', which is not IPv4"),
        (('"02:00:00:00:00:01"', '"02:00:00:00:00"'), "vpce-1 has the router_mac"),
        (('device = "eth2"', 'device = "eth2"\nnetsn = "blue"'), "unknown field `netsn`"),
        (('id = "vpce-1"', 'id = "subnet-1"'), "the id subnet-1 is given 2 times"),
        (('"eni-2"', '"eni-1"'), "the interface eni-1 is given 2 times"),
        (
            ("[[endpoints]]", """[[endpoints]]
id = "vpce-2"
interface_id = "eni-3"
subnet_id = "subnet-1"
address = "10.0.1.11"
device = "eth1"
router_mac = "02:00:00:00:00:01"
provider_vpc_id = "vpc-1"
[[endpoints]]"""),
            "the endpoint's device eth1 is given 2 times",
        ),
        (
            ("[[nodes]]", """[[nodes]]
interface_id = "eni-4"
subnet_id = "subnet-1"
address = "10.0.1.20"
device = "eth3"
netns = "blue"
[[nodes]]"""),
            "the node's address 10.0.1.20 is given 2 times",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(BadInventory, match=message):
        read_inventory(written(tmp_path, GOOD.replace(*change)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInventory, match=r"inventory\.toml cannot be read: No such file"):
        read_inventory(tmp_path / "inventory.toml")


@pytest.mark.parametrize(
    "content", [b"# B\xfcro", b"a = " + b"9" * 5_000, b"a = " + b"[" * 20_000], ids=["latin-1", "digits", "depth"]
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "inventory.toml"
    file.write_bytes(GOOD.encode() + content)
    with pytest.raises(BadInventory, match=r"inventory\.toml is wrong: "):
        read_inventory(file)
