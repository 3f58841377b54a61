"""connectors.toml: a section for each connector, whose keys are those of its kind."""

import os
import re
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from flatline.schema.limits import SourceName
from flatline_connectors.errors import ConnectorError

_DURATION: Final = re.compile(r"(\d+)([smhd])")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

Duration = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,5}[smhd](?!\n)$", description="30s, 15m, 6h or 1d")]
Host = Annotated[str, Meta(min_length=1, max_length=253)]


def duration_s(text: str) -> int:
    """Return the seconds of a `Duration`."""
    found = _DURATION.fullmatch(text)
    assert found, "checked when the file was read"
    return int(found[1]) * _UNITS_S[found[2]]


class SecretUnavailable(ConnectorError):
    """A secret can't be read. The message names its file or variable, and never what it holds."""

    remedy = "Write the secret alone into the file, or set the variable where `flatline connect` runs."


class Secret(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: in a file, or in a variable of the environment. It is never in connectors.toml itself."""

    file: Annotated[str | None, Meta(description="Its path, relative to connectors.toml")] = None
    env: Annotated[str | None, Meta(description="The name of the variable")] = None

    def read(self, folder: Path) -> str:
        """Return the secret; ``folder`` is that of connectors.toml. Raise `SecretUnavailable`."""
        if self.env is not None:
            secret, where = os.environ.get(self.env, ""), f"The variable {self.env}"
        elif self.file is not None:
            where = f"The file {folder / self.file}"
            try:
                secret = (folder / self.file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SecretUnavailable(f"{where} can't be read: {error}.") from None
        else:
            raise SecretUnavailable("A secret names neither a file nor a variable.")
        if not secret.strip():
            raise SecretUnavailable(f"{where} holds nothing.")
        return secret.strip()


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """Hard limits in each period. What is left out has no limit."""

    per: Annotated[Duration, Meta(description="The period; periods of 1d begin at 0:00 UTC")] = "1d"
    requests: Annotated[int, Meta(ge=1, description="HTTP requests")] | None = None
    rows: Annotated[int, Meta(ge=1, description="Records sent to Kafka")] | None = None
    units: Annotated[int, Meta(ge=1, description="What a vendor charges, in its own units")] | None = None


class ConnectorOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="none"):
    """The keys that a section of any kind has. Each kind adds its own, in a subclass with a ``tag``."""

    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1h"
    source: Annotated[SourceName | None, Meta(description="Source of its events; else the section's name")] = None
    sites: Annotated[list[Host], Meta(description="Your sites; else those of all own site records")] = []
    budget: Budget = Budget()
    confirm_losses: Annotated[
        bool, Meta(description="Whether its losses are only suspicions, until a look confirms them")
    ] = False
