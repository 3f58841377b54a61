"""The instance: a running process says where its metrics are. Compacted by the instance's name; a tombstone ends it."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from flatline.schema.link_event import Instant

# Topics take records from up to an hour ahead: one with such a time must not have all others forgotten.
FORGET_AFTER_S_MIN: Final = 2 * 3_600
FORGET_AFTER_S_MAX: Final = 365 * 86_400
_NAME: Final = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?"  # IPv4 addresses, too
_IPV6: Final = r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f.]{0,15}){2,7}"
HOST_PATTERN: Final = rf"^({_NAME}|{_IPV6})(?!\n)$"

# It becomes a part of a metric label: plain characters only.
Role = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}(?!\n)$")]
Host = Annotated[str, Meta(pattern=HOST_PATTERN, description="A host name or an IP address, IPv6 without brackets")]


class Instance(Struct, frozen=True, omit_defaults=True, gc=False):
    """A process that exposes /metrics at ``scheme``://``host``:``port``, for the Prometheus job flatline-``role``.

    It announces itself several times a minute. One that has not done so for ``forget_after_s`` is forgotten.
    """

    role: Role
    host: Host
    port: Annotated[int, Meta(ge=1, le=65_535)]
    started_at: Instant
    announced_at: Instant
    scheme: Literal["http", "https"] = "http"
    forget_after_s: Annotated[float, Meta(ge=FORGET_AFTER_S_MIN, le=FORGET_AFTER_S_MAX)] = 86_400
    version: Literal[1] = 1

    @property
    def address(self) -> str:
        """``host:port`` as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
