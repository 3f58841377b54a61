"""All kinds of connectors. A kind that is listed here can stand in connectors.toml, and takes the contract's tests."""

from typing import Any, Final

from flatline_connectors.folder.connector import KIND as FOLDER
from flatline_connectors.runtime.connector import ConnectorKind

KINDS: Final[dict[str, ConnectorKind[Any, Any]]] = {kind.name: kind for kind in (FOLDER,)}
