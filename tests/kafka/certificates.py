"""Certificates of an authority of the test's own, as files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization


class Identity(NamedTuple):
    """The files of a certificate and its key (PEM), and both in one file as brokers want them."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates, and keeps them in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, host: str = "127.0.0.1", *, not_after: datetime | None = None) -> Identity:
        """Return a new certificate for a host and a common name."""
        not_before = None if not_after is None else datetime(2001, 1, 1, tzinfo=UTC)
        issued = self._ca.issue_cert(host, common_name=name, not_after=not_after, not_before=not_before)
        identity = Identity(*(self._folder / f"{name}.{kind}.pem" for kind in ("certificate", "key", "both")))
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        # Brokers read PKCS #8 only.
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), password=None).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        identity.certificate.write_bytes(chain)
        identity.key.write_bytes(key)
        identity.both.write_bytes(key + chain)
        return identity
