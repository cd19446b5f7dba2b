"""What can be asked: every operation that is served, with the input members it knows what to do with.

A member of AWS's model that is not listed here is refused, never passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from forwarder.control import (
    account,
    attributes,
    health_check,
    listeners,
    load_balancers,
    network,
    tags,
    target_groups,
    targets,
)
from forwarder.control.context import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A function and the input members it reads."""

    run: Function
    members: frozenset[str]


def _operation(run: Function, *members: str) -> Operation:
    return Operation(run=run, members=frozenset(members))


_PAGE: Final = ("Marker", "PageSize")

ELBV2: Final = {
    "CreateLoadBalancer": _operation(
        load_balancers.create_load_balancer,
        "Name", "Type", "Subnets", "SubnetMappings", "SecurityGroups", "Scheme", "IpAddressType", "Tags",
    ),
    "DescribeLoadBalancers": _operation(load_balancers.describe_load_balancers, "LoadBalancerArns", "Names", *_PAGE),
    "DeleteLoadBalancer": _operation(load_balancers.delete_load_balancer, "LoadBalancerArn"),
    "DescribeLoadBalancerAttributes": _operation(attributes.describe_load_balancer_attributes, "LoadBalancerArn"),
    "ModifyLoadBalancerAttributes": _operation(
        attributes.modify_load_balancer_attributes, "LoadBalancerArn", "Attributes"
    ),
    "CreateTargetGroup": _operation(
        target_groups.create_target_group,
        "Name", "Protocol", "Port", "VpcId", "TargetType", "IpAddressType", "Tags", *health_check.MEMBERS,
    ),
    "DescribeTargetGroups": _operation(
        target_groups.describe_target_groups, "LoadBalancerArn", "TargetGroupArns", "Names", *_PAGE
    ),
    "ModifyTargetGroup": _operation(target_groups.modify_target_group, "TargetGroupArn", *health_check.MEMBERS),
    "DeleteTargetGroup": _operation(target_groups.delete_target_group, "TargetGroupArn"),
    "DescribeTargetGroupAttributes": _operation(attributes.describe_target_group_attributes, "TargetGroupArn"),
    "ModifyTargetGroupAttributes": _operation(
        attributes.modify_target_group_attributes, "TargetGroupArn", "Attributes"
    ),
    "RegisterTargets": _operation(targets.register_targets, "TargetGroupArn", "Targets"),
    "DeregisterTargets": _operation(targets.deregister_targets, "TargetGroupArn", "Targets"),
    "DescribeTargetHealth": _operation(targets.describe_target_health, "TargetGroupArn", "Targets"),
    "CreateListener": _operation(
        listeners.create_listener, "LoadBalancerArn", "DefaultActions", "Port", "Protocol", "Tags"
    ),
    "DescribeListeners": _operation(listeners.describe_listeners, "LoadBalancerArn", "ListenerArns", *_PAGE),
    "ModifyListener": _operation(listeners.modify_listener, "ListenerArn", "DefaultActions", "Port", "Protocol"),
    "DeleteListener": _operation(listeners.delete_listener, "ListenerArn"),
    "DescribeListenerAttributes": _operation(attributes.describe_listener_attributes, "ListenerArn"),
    "ModifyListenerAttributes": _operation(attributes.modify_listener_attributes, "ListenerArn", "Attributes"),
    "AddTags": _operation(tags.add_tags, "ResourceArns", "Tags"),
    "RemoveTags": _operation(tags.remove_tags, "ResourceArns", "TagKeys"),
    "DescribeTags": _operation(tags.describe_tags, "ResourceArns"),
    "DescribeAccountLimits": _operation(account.describe_account_limits, *_PAGE),
}

STS: Final = {"GetCallerIdentity": _operation(account.get_caller_identity)}

_LISTING: Final = ("Filters", "MaxResults", "NextToken", "DryRun")

EC2: Final = {
    "DescribeAvailabilityZones": _operation(
        network.describe_availability_zones, "ZoneNames", "ZoneIds", "AllAvailabilityZones", "Filters", "DryRun"
    ),
    "DescribeVpcs": _operation(network.describe_vpcs, "VpcIds", *_LISTING),
    "DescribeSubnets": _operation(network.describe_subnets, "SubnetIds", *_LISTING),
    "DescribeInstances": _operation(network.describe_instances, "InstanceIds", *_LISTING),
    "DescribeNetworkInterfaces": _operation(network.describe_network_interfaces, "NetworkInterfaceIds", *_LISTING),
    "DescribeVpcEndpoints": _operation(network.describe_vpc_endpoints, "VpcEndpointIds", *_LISTING),
}

#: By service (botocore's name) and operation.
OPERATIONS: Final = {"elbv2": ELBV2, "ec2": EC2, "sts": STS}
