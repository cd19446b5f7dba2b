"""What elbv2 serves: every operation, with the input members it knows what to do with."""

from __future__ import annotations

from typing import Final

from forwarder.control.operation import operation
from forwarder.elbv2 import attributes, health_check, limits, listeners, load_balancers, tags, target_groups, targets

_PAGE: Final = ("Marker", "PageSize")

OPERATIONS: Final = {
    "CreateLoadBalancer": operation(
        load_balancers.create_load_balancer,
        "Name", "Type", "Subnets", "SubnetMappings", "SecurityGroups", "Scheme", "IpAddressType", "Tags",
    ),
    "DescribeLoadBalancers": operation(load_balancers.describe_load_balancers, "LoadBalancerArns", "Names", *_PAGE),
    "DeleteLoadBalancer": operation(load_balancers.delete_load_balancer, "LoadBalancerArn"),
    "DescribeLoadBalancerAttributes": operation(attributes.describe_load_balancer_attributes, "LoadBalancerArn"),
    "ModifyLoadBalancerAttributes": operation(
        attributes.modify_load_balancer_attributes, "LoadBalancerArn", "Attributes"
    ),
    "CreateTargetGroup": operation(
        target_groups.create_target_group,
        "Name", "Protocol", "Port", "VpcId", "TargetType", "IpAddressType", "Tags", *health_check.MEMBERS,
    ),
    "DescribeTargetGroups": operation(
        target_groups.describe_target_groups, "LoadBalancerArn", "TargetGroupArns", "Names", *_PAGE
    ),
    "ModifyTargetGroup": operation(target_groups.modify_target_group, "TargetGroupArn", *health_check.MEMBERS),
    "DeleteTargetGroup": operation(target_groups.delete_target_group, "TargetGroupArn"),
    "DescribeTargetGroupAttributes": operation(attributes.describe_target_group_attributes, "TargetGroupArn"),
    "ModifyTargetGroupAttributes": operation(
        attributes.modify_target_group_attributes, "TargetGroupArn", "Attributes"
    ),
    "RegisterTargets": operation(targets.register_targets, "TargetGroupArn", "Targets"),
    "DeregisterTargets": operation(targets.deregister_targets, "TargetGroupArn", "Targets"),
    "DescribeTargetHealth": operation(targets.describe_target_health, "TargetGroupArn", "Targets"),
    "CreateListener": operation(
        listeners.create_listener, "LoadBalancerArn", "DefaultActions", "Port", "Protocol", "Tags"
    ),
    "DescribeListeners": operation(listeners.describe_listeners, "LoadBalancerArn", "ListenerArns", *_PAGE),
    "ModifyListener": operation(listeners.modify_listener, "ListenerArn", "DefaultActions", "Port", "Protocol"),
    "DeleteListener": operation(listeners.delete_listener, "ListenerArn"),
    "DescribeListenerAttributes": operation(attributes.describe_listener_attributes, "ListenerArn"),
    "ModifyListenerAttributes": operation(attributes.modify_listener_attributes, "ListenerArn", "Attributes"),
    "AddTags": operation(tags.add_tags, "ResourceArns", "Tags"),
    "RemoveTags": operation(tags.remove_tags, "ResourceArns", "TagKeys"),
    "DescribeTags": operation(tags.describe_tags, "ResourceArns"),
    "DescribeAccountLimits": operation(limits.describe_account_limits, *_PAGE),
}
