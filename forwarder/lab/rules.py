"""An appliance's rules: an ordered list of allow and deny, the first that fits decides, else the default.

    default = "allow"

    [[rules]]
    name = "no-telnet"
    action = "deny"
    protocol = "tcp"              # tcp, udp, icmp, a protocol number as text, or any (which is also the default)
    source = "0.0.0.0/0"          # absent: anywhere
    destination = "10.0.2.0/24"   # absent: anywhere
    ports = ["23", "3000-3999"]   # destination ports, TCP and UDP alone; absent: every one

A rule is about who opens a flow: the first packet decides, and the answers go the same way (`inspection.py`).  A later
fragment has no ports, so a rule with ports does not fit it.
"""

from __future__ import annotations

import re
import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from gatewatch.refusal import Refusal

#: The rules the lab's appliances start with.
LAB_RULES = Path(__file__).with_name("rules.toml")
RULES_MAX = 1_000
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
DEFAULT_RULE = "default"

#: A protocol or port; Python refuses to read numbers of thousands of digits.
_NUMBER = re.compile(r"[0-9]{1,9}")


class BadRules(Refusal, ValueError):
    """A rule file that cannot be used; the message says which rule and what is wrong with it."""


class Opening(NamedTuple):
    """What opens a flow.  Addresses are 4 or 16 bytes; ports are 0 where the protocol, or a fragment, has none."""

    protocol: int
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int


class Verdict(NamedTuple):
    """Whether a flow may pass, and the name of the rule that said so."""

    allowed: bool
    rule: str


class RuleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as it is written."""

    name: str
    action: Literal["allow", "deny"]
    protocol: str = "any"
    source: str = ""
    destination: str = ""
    ports: tuple[str | int, ...] = ()


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file as it is written."""

    default: Literal["allow", "deny"] = "allow"
    rules: tuple[RuleText, ...] = ()


class _Block(NamedTuple):
    """An address block, for comparing with address bytes."""

    address_bytes: int
    network: int
    shift: int

    def holds(self, address: bytes) -> bool:
        return len(address) == self.address_bytes and int.from_bytes(address, "big") >> self.shift == self.network


class Rule(NamedTuple):
    """A rule ready to be applied; None and an empty tuple fit everything."""

    verdict: Verdict
    protocol: int | None
    source: _Block | None
    destination: _Block | None
    ports: tuple[range, ...]

    def fits(self, opening: Opening) -> bool:
        """Whether the rule is about a flow that opens so."""
        return (
            (self.protocol is None or self.protocol == opening.protocol)
            and (self.source is None or self.source.holds(opening.source))
            and (self.destination is None or self.destination.holds(opening.destination))
            and (not self.ports or any(opening.destination_port in ports for ports in self.ports))
        )


class Rules:
    """An ordered list of rules and the verdict where none fits."""

    def __init__(self, rules: tuple[Rule, ...] = (), *, default_allowed: bool = True) -> None:
        self._rules = rules
        self._default = Verdict(default_allowed, DEFAULT_RULE)

    def __len__(self) -> int:
        return len(self._rules)

    def decide(self, opening: Opening) -> Verdict:
        """The verdict of the first rule that fits."""
        return next((rule.verdict for rule in self._rules if rule.fits(opening)), self._default)


def read_rules(path: Path | None) -> Rules:
    """The rules of a file; without a file everything is allowed.  `BadRules` names file, rule and fault."""
    if path is None:
        return Rules()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRules(f"the rules {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadRules(f"the rules {path} cannot be used: {error}") from error
    try:
        return parse_rules(text)
    except BadRules as error:
        raise BadRules(f"the rules {path} cannot be used: {error}") from error


def parse_rules(text: str) -> Rules:
    """The rules of a TOML text; `BadRules` says what is wrong."""
    try:
        written = msgspec.convert(tomllib.loads(text), RuleFile)
    except (ValueError, RecursionError) as error:  # TOML's, msgspec's, and numbers of thousands of digits
        raise BadRules(str(error)) from error
    if len(written.rules) > RULES_MAX:
        raise BadRules(f"{len(written.rules)} rules; {RULES_MAX} are allowed")
    return Rules(tuple(_rule(rule) for rule in written.rules), default_allowed=written.default == "allow")


def _rule(text: RuleText) -> Rule:
    if text.name in ("", DEFAULT_RULE):
        raise BadRules(f"a rule's name is {text.name!r}, which it may not be")
    try:
        protocol = _protocol(text.protocol)
        if text.ports and protocol not in (PROTOCOLS["tcp"], PROTOCOLS["udp"]):
            raise BadRules(f"ports are given, but the protocol is {text.protocol!r}; only tcp and udp have ports")
        return Rule(Verdict(text.action == "allow", text.name), protocol, _block(text.source),
                    _block(text.destination), tuple(_ports(entry) for entry in text.ports))
    except BadRules as error:
        raise BadRules(f"rule {text.name}: {error}") from error


def _protocol(text: str) -> int | None:
    if text == "any":
        return None
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    if _NUMBER.fullmatch(text) and int(text) <= 255:
        return int(text)
    raise BadRules(f"protocol {text!r}; allowed: any, {', '.join(PROTOCOLS)}, 0 to 255")


def _block(text: str) -> _Block | None:
    if not text:
        return None
    try:
        network: IPv4Network | IPv6Network = ip_network(text)
    except ValueError as error:
        raise BadRules(str(error)) from error
    shift = network.max_prefixlen - network.prefixlen
    return _Block(network.max_prefixlen // 8, int(network.network_address) >> shift, shift)


def _ports(text: str | int) -> range:
    first, dash, last = str(text).partition("-")
    numbers = [int(part) for part in (first, last if dash else first) if _NUMBER.fullmatch(part)]
    if len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1] <= 65_535:
        raise BadRules(f"ports {text!r}; allowed: a port, or FIRST-LAST, from 0 to 65535")
    return range(numbers[0], numbers[1] + 1)
