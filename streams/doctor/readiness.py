"""Whether the processes that listen on this machine are ready."""

import asyncio
import ssl
from collections.abc import Sequence
from ipaddress import ip_address

from flatline.doctor.check_result import CheckResult
from flatline.doctor.http import Server, session
from flatline.doctor.services import examine_readiness
from flatline.local import probes
from flatline.local.ports import LOOPBACK
from flatline.settings import Settings

NONE_LISTENS = CheckResult.wrong("instances", "nothing listens at the addresses of the settings")


def readiness_here(settings: Settings, roles: Sequence[str]) -> list[CheckResult]:
    """Ask each process whose address the settings have. One of several ``roles`` that does not listen is left out."""
    addresses = {role: _address(settings, role) for role in roles}
    if len(roles) > 1:
        addresses = {role: address for role, address in addresses.items() if probes.accepts(address)}
    return asyncio.run(_ask(settings, addresses)) if addresses else [NONE_LISTENS]


async def _ask(settings: Settings, addresses: dict[str, str]) -> list[CheckResult]:
    async with session(_unverified() if settings.scheme == "https" else None) as asking:
        servers = {role: Server(f"{settings.scheme}://{address}", asking) for role, address in addresses.items()}
        parts = await asyncio.gather(*(examine_readiness(role, server) for role, server in servers.items()))
    return [result for part in parts for result in part]


def _address(settings: Settings, role: str) -> str:
    host, port = getattr(settings, f"{role}_host"), getattr(settings, f"{role}_port")
    return f"{_reached_here(host)}:{port}"


def _reached_here(host: str) -> str:
    """Return where this machine reaches what listens at ``host``: 0.0.0.0 is no address to connect to."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host
    if address.is_unspecified:
        return LOOPBACK if address.version == 4 else "[::1]"  # noqa: PLR2004 - of IP
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - of IP


def _unverified() -> ssl.SSLContext:
    """Trust any certificate: theirs names another host than loopback, and they are sent nothing but the question."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
