"""Which addresses may be connected to."""

import pytest

from flatline_connectors.fetching.addresses import is_public, public_or_in


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "localhost",
        "127.1",
        "",
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast, documentation; and IPv6 that stands for one."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.215.14",
        "172.15.255.255",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2002:101:101::1",
    ],
)
def test_public_addresses_are_taken(address: str) -> None:
    """Unicast that is reachable from anywhere, also where IPv6 carries it."""
    assert is_public(address)


def test_networks_of_ones_own() -> None:
    """They are taken beside public addresses, and nothing else is."""
    may_connect = public_or_in("10.1.0.0/16, fd00:1::/32")
    taken = ("10.1.2.3", "10.2.0.1", "fd00:1::5", "fd00:2::5", "1.1.1.1", "::1", "127.0.0.1")
    assert [address for address in taken if may_connect(address)] == ["10.1.2.3", "fd00:1::5", "1.1.1.1"]
    assert not public_or_in("")("10.1.2.3")
