"""An authority that lives as long as one run, and the certificates that it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flatline.local.ports import LOOPBACK

_VALID: Final = timedelta(days=365)
# A clock that is set back a little must not make a new certificate one of the future.
_BEFORE: Final = timedelta(hours=1)


class Authority:
    """Signs certificates for this machine and writes them to a folder, over those of the last run.

    ``file`` is its own certificate. Its key is in no file: nobody can sign others later.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "flatline up")])
        certificate = self._certificate(self._name, self._key.public_key(), of_authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(_pem(certificate))

    def issue(self, common_name: str) -> tuple[Path, Path]:
        """Return the files of a new certificate for 127.0.0.1 and of its key (PEM, PKCS #8)."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate_file, key_file = (self._folder / f"{common_name}.{kind}.pem" for kind in ("certificate", "key"))
        certificate_file.write_bytes(_pem(self._certificate(name, key.public_key(), of_authority=False)))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def _certificate(self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, of_authority: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        usage = x509.KeyUsage(
            digital_signature=not of_authority,
            key_cert_sign=of_authority,
            crl_sign=of_authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BEFORE)
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(ca=of_authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if not of_authority:
            here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
            builder = builder.add_extension(here, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
