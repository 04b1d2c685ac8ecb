"""Who may do what: each role may do what those before it may, and is bound to where a host is."""

import asyncio
import ipaddress
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple


class Role(IntEnum):
    """What a host may do, bound to where it comes from."""

    MONITOR = 0  # looks
    OPERATOR = 1  # changes what the source does
    SERVICE = 2  # moves things by hand, replaces the catalogue


class Visitor(NamedTuple):
    """Where a host comes from, and what it may do."""

    name: str
    role: Role = Role.SERVICE


class Origin(NamedTuple):
    """What is known of a connection."""

    address: str  # empty for a serial line
    certificate: str  # the common name it proved to have, or empty

    @property
    def name(self) -> str:
        return self.certificate or self.address or "serial"


Rule = tuple[Callable[[Origin], bool], Role]
FORM = "words WHO=ROLE, the first that fits counts; WHO is serial, an address or network, cert:NAME"


class Access:
    """Rules such as `serial=service 127.0.0.0/8=service cert:alice=operator *=monitor`."""

    def __init__(self, rules: str) -> None:
        """ValueError for what is no rule."""
        self._rules = [_rule(word) for word in rules.split()]

    def visitor(self, transport: asyncio.BaseTransport) -> Visitor:
        """Who is at the other end; nobody fits no rule but may look."""
        origin = _origin(transport)
        fitting = (role for fits, role in self._rules if fits(origin))
        port = transport.get_extra_info("peername") if origin.address else None
        name = f"{origin.name}:{port[1]}" if port else origin.name
        return Visitor(name, next(fitting, Role.MONITOR))


def no_access(rules: str) -> str:
    """What is wrong with them, or nothing."""
    try:
        Access(rules)
    except ValueError as err:
        return f"{err}: write {FORM}"
    return ""


def _rule(word: str) -> Rule:
    who, _, role = word.rpartition("=")
    if role.upper() not in Role.__members__:
        roles = ", ".join(role.name.lower() for role in Role)
        raise ValueError(f"{word!r} names no role of {roles}")
    try:
        return _fits(who), Role[role.upper()]
    except ValueError:
        raise ValueError(f"{word!r} names nobody") from None


def _fits(who: str) -> Callable[[Origin], bool]:
    if who == "*":
        return lambda _: True
    if who == "serial":
        return lambda origin: not origin.address
    if who == "cert:*":
        return lambda origin: bool(origin.certificate)
    if who.startswith("cert:") and len(who) > len("cert:"):
        return lambda origin: origin.certificate == who.removeprefix("cert:")
    network = ipaddress.ip_network(who)
    return lambda origin: bool(origin.address) and _address(origin.address) in network


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _origin(transport: asyncio.BaseTransport) -> Origin:
    peer = transport.get_extra_info("peername")
    subject: Any = (transport.get_extra_info("peercert") or {}).get("subject", ())
    names = [value for entry in subject for key, value in entry if key == "commonName"]
    return Origin(peer[0] if isinstance(peer, tuple) else "", names[0] if names else "")
