"""The running processes, as the instances topic has them, and the list of targets for Prometheus."""

from collections import defaultdict
from typing import Any, Final, NamedTuple

from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.instance import Instance
from flatline.schema.rejection import Reason, Rejected

NAME_BYTES_MAX: Final = 1_000


class _Announced(NamedTuple):
    instance: Instance
    at_ms: int


class Instances:
    """All instances that were announced and neither ended nor forgotten.

    Time is that of the newest record, not of a clock here: while Kafka is away nobody can announce anything, and nobody
    is forgotten. All who have read the topic to the same offset say the same.
    """

    def __init__(self) -> None:
        self._announced: dict[str, _Announced] = {}
        self._newest_ms = 0

    def receive(self, key: bytes, value: bytes | None, recorded_ms: int) -> None:
        """Apply a record of the topic. Raise `Rejected`."""
        name = _name(key)
        if value is None:
            self._announced.pop(name, None)
        else:
            instance = codec.instances.decode(value)
            # An instance whose clock is fast would be known for longer than it says.
            self._announced[name] = _Announced(instance, min(to_ms(instance.announced_at), recorded_ms))
        self._newest_ms = max(self._newest_ms, recorded_ms)

    def known(self) -> dict[str, Instance]:
        """Return the instances by name, in the order of the names."""
        return {
            name: instance
            for name, (instance, at_ms) in sorted(self._announced.items())
            if self._newest_ms - at_ms <= instance.forget_after_s * 1000
        }

    def target_groups(self) -> list[dict[str, Any]]:
        """Return what Prometheus' HTTP service discovery expects: ``[{"targets": [...], "labels": {...}}, ...]``.

        The labels have Prometheus scrape each target under the job ``flatline-ROLE`` and by its scheme.
        """
        groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for instance in self.known().values():
            groups[instance.role, instance.scheme].add(instance.address)
        return [
            {
                "targets": sorted(addresses),
                "labels": {"job": f"flatline-{role}", "__scheme__": scheme, "__meta_flatline_role": role},
            }
            for (role, scheme), addresses in sorted(groups.items())
        ]


def _name(key: bytes) -> str:
    if not 0 < len(key) <= NAME_BYTES_MAX:
        raise Rejected(Reason.INVALID_VALUE, f"the key has {len(key)} bytes; expected 1 to {NAME_BYTES_MAX}")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise Rejected(Reason.INVALID_VALUE, "the key is not UTF-8") from None
