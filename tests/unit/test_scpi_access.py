"""Roles by where a host comes from."""

import asyncio
from typing import Any

import pytest

from controller.config import ACCESS
from controller.scpi_access import Access, Role, no_access

RULES = "serial=service 10.0.0.0/8=monitor cert:alice=service cert:*=operator 192.168.1.7=operator"


class Connection(asyncio.BaseTransport):
    def __init__(self, peer: str = "", common_name: str = "") -> None:
        super().__init__()
        subject = ((("countryName", "DE"),), (("commonName", common_name),))
        self._known: dict[str, Any] = {"peername": (peer, 40000)} if peer else {}
        if common_name:
            self._known["peercert"] = {"subject": subject}

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._known.get(name, default)


@pytest.mark.parametrize(
    ("connection", "role", "name"),
    [
        (Connection(), Role.SERVICE, "serial"),
        (Connection("10.1.2.3", "alice"), Role.MONITOR, "alice:40000"),  # the first that fits
        (Connection("192.168.1.8", "alice"), Role.SERVICE, "alice:40000"),
        (Connection("192.168.1.8", "bob"), Role.OPERATOR, "bob:40000"),
        (Connection("192.168.1.7"), Role.OPERATOR, "192.168.1.7:40000"),
        (Connection("::ffff:192.168.1.7"), Role.OPERATOR, "::ffff:192.168.1.7:40000"),
        (Connection("fe80::1%eth0"), Role.MONITOR, "fe80::1%eth0:40000"),
        (Connection("8.8.8.8"), Role.MONITOR, "8.8.8.8:40000"),
    ],
)
def test_the_first_rule_that_fits_counts(connection: Connection, role: Role, name: str) -> None:
    assert Access(RULES).visitor(connection) == (name, role)


def test_by_default_only_this_machine_may_do_all_and_a_stranger_may_only_look() -> None:
    access = Access(ACCESS)
    roles = {
        Connection(): Role.SERVICE,
        Connection("127.0.0.1"): Role.SERVICE,
        Connection("::1"): Role.SERVICE,
        Connection("10.0.0.5", "qkd"): Role.OPERATOR,
        Connection("10.0.0.5"): Role.MONITOR,
    }
    assert {host: access.visitor(host).role for host in roles} == roles


@pytest.mark.parametrize(
    "rules", ["nobody", "serial=boss", "10.0.0=monitor", "cert:=monitor", "=service", "x"]
)
def test_what_is_no_rule_is_told(rules: str) -> None:
    assert rules.split("=")[0] in no_access(rules)
    assert no_access(ACCESS) == no_access("") == ""
