"""A connector as connectors.toml names it."""

from dataclasses import dataclass
from typing import Any

from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import ConnectorKind


@dataclass(frozen=True)
class Section:
    """One section: its name, its keys, and the kind that they are of."""

    name: str
    options: ConnectorOptions
    kind: ConnectorKind[Any, Any]

    @property
    def source(self) -> str:
        """The source of what it finds, where that says nothing else."""
        return self.options.source or self.name
