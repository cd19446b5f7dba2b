"""Rules: the first that fits decides, and a bad file is refused with the reason."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from forwarder.lab.rules import LAB_RULES, RULES_MAX, BadRules, Opening, Verdict, parse_rules, read_rules


def opening(protocol: int, source: str, destination: str, port: int = 0) -> Opening:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    return Opening(protocol, socket.inet_pton(family, source), socket.inet_pton(family, destination), 40_000, port)


RULES = """
default = "deny"
[[rules]]
name = "not-telnet"
action = "deny"
protocol = "tcp"
ports = [23, "3000-3010"]
[[rules]]
name = "tcp-within"
action = "allow"
protocol = "tcp"
source = "203.0.113.0/24"
destination = "10.0.2.0/24"
[[rules]]
name = "v6"
action = "allow"
source = "2001:db8::/32"
"""


@pytest.mark.parametrize(
    ("opens", "verdict"),
    [
        (opening(6, "203.0.113.9", "10.0.2.1", 23), Verdict(False, "not-telnet")),
        (opening(6, "203.0.113.9", "10.0.2.1", 3000), Verdict(False, "not-telnet")),
        (opening(6, "203.0.113.9", "10.0.2.1", 3010), Verdict(False, "not-telnet")),
        (opening(6, "203.0.113.9", "10.0.2.1", 3011), Verdict(True, "tcp-within")),
        (opening(6, "203.0.114.9", "10.0.2.1", 80), Verdict(False, "default")),
        (opening(17, "203.0.113.9", "10.0.2.1", 23), Verdict(False, "default")),
        (opening(17, "2001:db8::1", "2001:db9::1", 53), Verdict(True, "v6")),
        (opening(17, "2001:db9::1", "2001:db8::1", 53), Verdict(False, "default")),
    ],
)
def test_the_first_rule_that_fits_decides(opens: Opening, verdict: Verdict) -> None:
    assert parse_rules(RULES).decide(opens) == verdict


def test_without_a_file_everything_is_allowed() -> None:
    assert read_rules(None).decide(opening(47, "10.0.0.1", "10.0.0.2")) == Verdict(True, "default")


def test_the_labs_rules_can_be_read() -> None:
    rules = read_rules(LAB_RULES)
    assert rules.decide(opening(6, "203.0.113.11", "10.0.2.11", 80)).allowed
    assert rules.decide(opening(17, "203.0.113.11", "10.0.2.11", 53)).allowed
    assert rules.decide(opening(1, "203.0.113.11", "10.0.2.11")).allowed
    assert rules.decide(opening(6, "203.0.113.11", "10.0.2.11", 445)) == Verdict(False, "block-telnet-and-smb")
    assert rules.decide(opening(6, "203.0.113.11", "10.0.2.11", 5432)) == Verdict(False, "default")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('default = "maybe"', "maybe"),
        ("default = ", "Invalid value"),
        ('[[rules]]\nname = "a"\naction = "allow"\nsauce = "any"', "sauce"),
        ('[[rules]]\nname = "a"\naction = "allow"\nprotocol = "tpc"', "rule a: protocol 'tpc'"),
        ('[[rules]]\nname = "a"\naction = "allow"\nprotocol = "256"', "rule a: protocol '256'"),
        (f'[[rules]]\nname = "a"\naction = "allow"\nprotocol = "{"9" * 5_000}"', "rule a: protocol '99"),
        (f'[[rules]]\nname = "a"\naction = "allow"\nprotocol = "tcp"\nports = ["{"9" * 5_000}"]', "rule a: ports '99"),
        ('[[rules]]\nname = "a"\naction = "allow"\nsource = "10.0.0.1/24"', "has host bits set"),
        ('[[rules]]\nname = "a"\naction = "allow"\nports = ["80"]', "only tcp and udp have ports"),
        ('[[rules]]\nname = "a"\naction = "allow"\nprotocol = "tcp"\nports = ["80-70"]', "ports '80-70'"),
        ('[[rules]]\nname = "a"\naction = "allow"\nprotocol = "tcp"\nports = [65536]', "ports 65536"),
        ('[[rules]]\nname = "default"\naction = "allow"', "'default'"),
        ('[[rules]]\nname = "a"\naction = "allow"\n' * (RULES_MAX + 1), f"{RULES_MAX} are allowed"),
    ],
)
def test_a_bad_rule_is_refused_by_name(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadRules) as refused:
        read_rules(file)
    assert fault in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match="No such file"):
        read_rules(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "content", [b"# B\xfcro", b"a = " + b"9" * 5_000, b"a = " + b"[" * 20_000], ids=["latin-1", "digits", "depth"]
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(content)
    with pytest.raises(BadRules, match=r"rules\.toml cannot be used: "):
        read_rules(file)
