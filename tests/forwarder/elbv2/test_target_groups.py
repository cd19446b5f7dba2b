"""Target groups: shapes as AWS shows them, defaults, modifying, deleting."""

from __future__ import annotations

from typing import Any

import pytest

VPC = "vpc-0aa11aa11aa11aa11"


def test_a_new_target_group_has_awss_shape_and_defaults(api: Any) -> None:
    made = api.elbv2("CreateTargetGroup", Name="my-targets", Protocol="GENEVE", Port=6081, VpcId=VPC)
    assert made == {"TargetGroups": [{
        "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/my-targets/000000000000000001",
        "TargetGroupName": "my-targets",
        "Protocol": "GENEVE",
        "Port": 6081,
        "VpcId": VPC,
        "HealthCheckProtocol": "TCP",
        "HealthCheckPort": "80",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "LoadBalancerArns": [],
        "TargetType": "instance",
    }]}


def test_an_http_check_shows_path_and_matcher(api: Any) -> None:
    api.target_group(HealthCheckProtocol="HTTP", HealthCheckPort="8080", HealthCheckPath="/up")
    (group,) = api.elbv2("DescribeTargetGroups", Names=["targets"])["TargetGroups"]
    assert (group["HealthCheckPath"], group["HealthCheckPort"], group["Matcher"]) == (
        "/up", "8080", {"HttpCode": "200-399"}
    )


def test_modifying_reaches_the_packet_process(api: Any) -> None:
    group = api.target_group()
    api.listener(api.load_balancer(), group)
    api.elbv2(
        "ModifyTargetGroup", TargetGroupArn=group, HealthCheckProtocol="HTTP", HealthCheckPath="/up",
        HealthCheckPort="traffic-port", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2, UnhealthyThresholdCount=3,
    )
    check = api.store.desired().load_balancers[0].target_group.health_check
    assert (check.protocol, check.path, check.port, check.interval_s, check.timeout_s) == ("HTTP", "/up", 6081, 5, 2)
    assert (check.healthy_threshold, check.unhealthy_threshold) == (2, 3)


def test_modifying_nothing_is_no_change(api: Any) -> None:
    group = api.target_group()
    revision = api.store.revision()
    api.elbv2("ModifyTargetGroup", TargetGroupArn=group, HealthCheckIntervalSeconds=10)
    assert api.store.revision() == revision


def test_the_same_request_again_answers_the_same_group(api: Any) -> None:
    assert api.target_group() == api.target_group()
    with pytest.raises(Exception, match="DuplicateTargetGroupName"):
        api.target_group(HealthCheckIntervalSeconds=20)


def test_groups_of_a_load_balancer(api: Any) -> None:
    load_balancer, group = api.load_balancer(), api.target_group()
    api.target_group("unused")
    assert api.elbv2("DescribeTargetGroups", LoadBalancerArn=load_balancer)["TargetGroups"] == []
    api.listener(load_balancer, group)
    (found,) = api.elbv2("DescribeTargetGroups", LoadBalancerArn=load_balancer)["TargetGroups"]
    assert (found["TargetGroupArn"], found["LoadBalancerArns"]) == (group, [load_balancer])
    assert len(api.elbv2("DescribeTargetGroups", TargetGroupArns=[group, group])["TargetGroups"]) == 1


def test_pages(api: Any) -> None:
    arns = [api.target_group(f"t{number}") for number in range(3)]
    first = api.elbv2("DescribeTargetGroups", PageSize=2)
    rest = api.elbv2("DescribeTargetGroups", PageSize=2, Marker=first["NextMarker"])
    assert [item["TargetGroupArn"] for item in first["TargetGroups"] + rest["TargetGroups"]] == arns
    assert "NextMarker" not in rest


def test_deleting_takes_the_registrations_along_and_may_be_repeated(api: Any) -> None:
    group = api.target_group()
    api.register(group, "i-0a000000000000001")
    for _ in range(2):
        api.elbv2("DeleteTargetGroup", TargetGroupArn=group)
    with api.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM targets").fetchone()[0] == 0


def test_there_is_a_quota(api: Any) -> None:
    for number in range(100):
        api.target_group(f"t{number}")
    with pytest.raises(Exception, match="TooManyTargetGroups"):
        api.target_group("t100")
