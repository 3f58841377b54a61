"""Which addresses may be connected to, checked on the very address that the socket gets.

A name is resolved once a connection, and the addresses found are the ones connected to: a name that resolves to
something else a moment later gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

MayConnect = Callable[[str], bool]
"""Whether an IP address, as text, may be connected to."""

_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # RFC 4291 §2.4: all that is given out
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
# Special blocks (RFC 6890, 9637) that not every version of `is_global` knows: protocol assignments, AS112, former 6to4
# relays, documentation.
_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",
            "192.31.196.0/24",
            "192.88.99.0/24",
            "192.175.48.0/24",
            "2001::/23",
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)


def is_public(address: str) -> bool:
    """Return whether an address is unicast and globally reachable; also False for text that is no address.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, NAT64) is what that is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id:
            return False
        embedded = parsed.ipv4_mapped or parsed.sixtofour
        if embedded is None and parsed in _NAT64:
            embedded = ipaddress.IPv4Address(parsed.packed[-4:])
        if embedded is not None:
            return is_public(str(embedded))
        if parsed not in _UNICAST:
            return False
    is_special = any(parsed in block for block in _SPECIAL if block.version == parsed.version)
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved and not is_special


def public_or_in(networks: str) -> MayConnect:
    """Return `is_public`, widened by networks of one's own (CIDR, separated by commas). Raise ValueError."""
    own = [ipaddress.ip_network(text.strip()) for text in networks.split(",") if text.strip()]

    def may_connect(address: str) -> bool:
        return is_public(address) or any(ipaddress.ip_address(address) in network for network in own)

    return may_connect


class ForbiddenAddress(OSError):
    """A host has an address that may not be connected to."""


class _GuardedResolver(AbstractResolver):
    """Refuses a host of which any address is forbidden: which of them answers is not left to chance."""

    def __init__(self, resolver: AbstractResolver, may_connect: MayConnect) -> None:
        self._resolver = resolver
        self._may_connect = may_connect

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            if not self._may_connect(each["host"]):
                raise ForbiddenAddress(f"{host} has the address {each['host']}, which is not public")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def guarded_connector(may_connect: MayConnect, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
    """Return an aiohttp connector that connects to no other address. ``resolver``: else the system's."""

    def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_connect(address[0]):
            raise ForbiddenAddress(f"the address {address[0]} is not public")
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.TCPConnector(
        resolver=_GuardedResolver(resolver or aiohttp.ThreadedResolver(), may_connect),
        use_dns_cache=False,
        force_close=True,  # the next request is seconds away
        socket_factory=guarded_socket,
    )
