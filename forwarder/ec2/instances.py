"""Instances: launched, stopped, started and terminated.  In the lab each is a namespace that runs its image.

Source: EC2 API reference, "RunInstances", "StopInstances", "StartInstances", "TerminateInstances"; EC2 user guide, "Instance state
changes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from forwarder.control import network_state
from forwarder.control.addresses import check_address, free_address
from forwarder.control.context import Context
from forwarder.ec2.change import new_number, refuse_dry_run, subnet_of, used_otherwise, write
from forwarder.ec2.images import image_of
from forwarder.ec2.network import STATE_CODES, instance_item
from forwarder.ec2.tags import forget_tags, given_tags, write_tags
from forwarder.inventory import Instance
from gatewatch.aws.error import AwsError

INSTANCES_MAX: Final = 200
RUNNING, STOPPED, TERMINATED = "running", "stopped", "terminated"


def run_instances(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """RunInstances: `MaxCount` of them, or as many as there is room for and at least `MinCount`."""
    image = image_of(parameters.get("ImageId") or _missing("ImageId"))
    subnet = subnet_of(context, parameters.get("SubnetId") or _missing("SubnetId"))
    tags = given_tags(parameters, "instance")
    count, address = _count(context, parameters), parameters.get("PrivateIpAddress")
    if address and not _is_repeated(context, parameters):
        check_address(context.inventory, subnet, address)
    refuse_dry_run(parameters)
    made: list[Instance] = []
    for place in range(count):
        number = new_number(context, parameters, f"instance {place}")
        there = next((instance for instance in context.inventory.instances if instance.id == f"i-0{number}"), None)
        if there is not None and (there.subnet_id, there.image) != (subnet.id, image):
            raise used_otherwise()
        made.append(there or Instance(
            id=f"i-0{number}", interface_id=f"eni-0{number}", subnet_id=subnet.id, image=image,
            address=address or free_address(context.inventory, subnet, [instance.address for instance in made]),
        ))
        if there is None:
            write(context, "instances", made[-1])
            write_tags(context, made[-1].id, tags)
    return {
        "ReservationId": made[0].id.replace("i-", "r-", 1), "OwnerId": context.account_id, "Groups": [],
        "Instances": [instance_item(context, instance) for instance in made],
    }


def stop_instances(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """StopInstances: nothing of them runs, and no packet reaches them; they keep their address."""
    return {"StoppingInstances": _change(context, parameters, STOPPED)}


def start_instances(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """StartInstances."""
    return {"StartingInstances": _change(context, parameters, RUNNING)}


def terminate_instances(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """TerminateInstances.  A terminated instance is shown no more, where AWS shows it for about an hour."""
    return {"TerminatingInstances": _change(context, parameters, TERMINATED)}


def _change(context: Context, parameters: Mapping[str, Any], state: str) -> list[dict[str, Any]]:
    instances = [_instance_of(context, instance_id) for instance_id in dict.fromkeys(parameters["InstanceIds"])]
    refuse_dry_run(parameters)
    for instance in instances:
        if state == TERMINATED:
            network_state.remove(context.connection, "instances", instance.id)
            forget_tags(context, instance.id)
        elif instance.state != state:
            write(context, "instances", replace(instance, state=state))
    return [
        {"InstanceId": instance.id, "CurrentState": _state(state), "PreviousState": _state(instance.state)} for instance in instances
    ]


def _is_repeated(context: Context, parameters: Mapping[str, Any]) -> bool:
    number = new_number(context, parameters, "instance 0") if parameters.get("ClientToken") else ""
    return any(instance.id == f"i-0{number}" for instance in context.inventory.instances)


def _count(context: Context, parameters: Mapping[str, Any]) -> int:
    least, most = parameters["MinCount"], parameters["MaxCount"]
    if not 1 <= least <= most:
        raise AwsError("InvalidParameterValue", f"MinCount ({least}) must be at least 1 and not above MaxCount ({most})")
    if parameters.get("PrivateIpAddress") and most > 1:
        raise AwsError("InvalidParameterCombination", "The parameter PrivateIpAddress cannot be used with more than one instance")
    room = INSTANCES_MAX - len(context.inventory.instances)
    if least > room and not _is_repeated(context, parameters):
        raise AwsError("InstanceLimitExceeded", f"The maximum number of instances, {INSTANCES_MAX}, has been reached.")
    return int(min(most, max(room, least)))


def _instance_of(context: Context, instance_id: str) -> Instance:
    for instance in context.inventory.instances:
        if instance.id == instance_id:
            return instance
    raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id[:100]}' does not exist")


def _state(name: str) -> dict[str, Any]:
    return {"Code": STATE_CODES.get(name, 0), "Name": name}


def _missing(member: str) -> str:
    raise AwsError("MissingParameter", f"The request must contain the parameter {member}")
