"""TLS for what we serve over HTTP, from files that may be replaced while it is served."""

import logging
import ssl
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from flatline.errors import FlatlineError

log = logging.getLogger("flatline.tls")

_Stamp = tuple[tuple[int, int, int], ...]
_FILES: Final = "FLATLINE_TLS_CERTIFICATE_FILE and FLATLINE_TLS_KEY_FILE"


class CertificateError(FlatlineError):
    """The certificate or its key can't be used. The message names the files, and why."""

    remedy = f"Have {_FILES} name a certificate with its chain and its key, both PEM, the key not encrypted."


class ServerContext(ssl.SSLContext):
    """The context of a server, whose new connections have the certificate that the files hold then.

    Files that can't be used, such as a certificate whose key is still to come, are logged once, and the former
    certificate stays. Connections that are open keep theirs.
    """

    _files: tuple[Path, Path]
    _stamp: _Stamp | None
    _context: ssl.SSLContext

    def __new__(cls, certificate_file: Path, key_file: Path) -> Self:
        """Return one for these files. Raises CertificateError."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context._files = (certificate_file, key_file)
        try:
            context._stamp = context._stamp_now()
            context._context = context._load()
        except (OSError, ValueError) as error:
            raise CertificateError(f"{certificate_file} with the key {key_file} can't be used: {error}") from None
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As of `ssl.SSLContext`."""
        return self._current().wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As of `ssl.SSLContext`."""
        return self._current().wrap_socket(*arguments, **options)

    def _current(self) -> ssl.SSLContext:
        try:
            stamp = self._stamp_now()
        except OSError as error:
            self._keep(None, error)
            return self._context
        if stamp != self._stamp:
            try:
                self._context = self._load()
                self._stamp = stamp
                log.warning("%s was replaced: new connections have the new certificate", self._files[0])
            except (OSError, ValueError) as error:
                self._keep(stamp, error)
        return self._context

    def _keep(self, stamp: _Stamp | None, error: Exception) -> None:
        if stamp != self._stamp:
            log.warning("%s with the key %s can't be used, so the former certificate stays: %s", *self._files, error)
        self._stamp = stamp

    def _stamp_now(self) -> _Stamp:
        found = [file.stat() for file in self._files]
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An encrypted key would have OpenSSL ask for its password at the terminal.
        context.load_cert_chain(*self._files, password=_no_password)
        return context


def _no_password() -> NoReturn:
    raise ValueError("the key is encrypted")
