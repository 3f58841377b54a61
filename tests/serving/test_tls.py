"""HTTPS, with certificates that are replaced while it is spoken."""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from prometheus_client import CollectorRegistry

from flatline.http import SECURITY_HEADERS, Endpoint
from flatline.local.ports import LOOPBACK, Ports
from flatline.settings import Settings, SettingsError, load_settings
from flatline.tls import CertificateError, ServerContext
from tests.kafka.certificates import Authority, Identity


class Files(NamedTuple):
    """Where a server looks for its certificate, and who signs for it."""

    certificate: Path
    key: Path
    authority: Authority

    def replace(self, identity: Identity) -> None:
        """Put another certificate there, as a certificate manager does."""
        for source, place in ((identity.certificate, self.certificate), (identity.key, self.key)):
            new = place.with_suffix(".new")
            new.write_bytes(source.read_bytes())
            new.replace(place)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return the files of a server, with a first certificate."""
    files = Files(tmp_path / "tls.crt", tmp_path / "tls.key", Authority(tmp_path / "ca"))
    files.replace(files.authority.issue("first"))
    return files


async def no_discovery(_request: web.Request) -> web.Response:
    """Answer nothing of interest."""
    return web.Response()


@asynccontextmanager
async def serving(folder: Path, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Serve for the block, and yield the port."""
    port = Ports(folder / "ports.json").claim("endpoint")
    endpoint = Endpoint(
        host=LOOPBACK,
        port=port,
        registry=CollectorRegistry(),
        not_live=lambda: None,
        not_ready=lambda: None,
        discovery=no_discovery,
        tls=tls,
    )
    await endpoint.start()
    try:
        yield port
    finally:
        await endpoint.stop()


class Client:
    """One connection, which is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def certificate(self) -> str:
        """The common name in the server's certificate."""
        tls = self._writer.get_extra_info("ssl_object")
        found = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
        [name] = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(name.value)

    async def is_answered(self) -> bool:
        """Whether a request on this connection is answered with 200."""
        self._writer.write(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n")
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert await self._reader.readexactly(3) == b"ok\n"
        return head.startswith(b"HTTP/1.1 200 ")


@asynccontextmanager
async def connected(port: int, files: Files) -> AsyncIterator[Client]:
    """Connect for the block, trusting the test's authority only."""
    context = ssl.create_default_context(cafile=files.authority.file)
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def test_a_new_certificate_is_used_and_open_connections_go_on(tmp_path: Path, files: Files) -> None:
    """Nothing is restarted, and nobody is interrupted."""
    async with (
        serving(tmp_path, ServerContext(files.certificate, files.key)) as port,
        connected(port, files) as early,
    ):
        assert early.certificate == "first"
        assert await early.is_answered()
        files.replace(files.authority.issue("second"))
        async with connected(port, files) as late:
            assert late.certificate == "second"
            assert await late.is_answered()
            assert await early.is_answered()
        assert early.certificate == "first"


async def test_the_former_certificate_stays_while_the_new_one_is_incomplete(
    tmp_path: Path, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate before its key, a broken or a missing file: said once, and nobody is turned away."""
    second = files.authority.issue("second")
    async with serving(tmp_path, ServerContext(files.certificate, files.key)) as port:
        for content in (second.certificate.read_bytes(), b"broken", None):
            caplog.clear()
            with caplog.at_level(logging.WARNING, "flatline.tls"):
                if content is None:
                    files.certificate.unlink()
                else:
                    files.certificate.write_bytes(content)
                for _ in range(3):
                    async with connected(port, files) as client:
                        assert client.certificate == "first"
            assert [record.message for record in caplog.records if "former certificate stays" in record.message] == [
                caplog.records[0].message
            ]
        files.replace(second)
        async with connected(port, files) as client:
            assert client.certificate == "second"


async def test_nothing_but_tls_is_spoken(tmp_path: Path, files: Files) -> None:
    """Plain HTTP gets no answer, and a client that asks for another host sees that this is not it."""
    async with (
        serving(tmp_path, ServerContext(files.certificate, files.key)) as port,
        aiohttp.ClientSession() as asking,
    ):
        with pytest.raises(aiohttp.ClientError):
            await asking.get(f"http://{LOOPBACK}:{port}/metrics")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await asking.get(
                f"https://localhost:{port}/metrics", ssl=ssl.create_default_context(cafile=files.authority.file)
            )


@pytest.mark.parametrize("with_tls", [False, True])
async def test_answers_carry_security_headers(tmp_path: Path, files: Files, *, with_tls: bool) -> None:
    """All of them, also those that say that there is nothing. None says which libraries serve."""
    tls = ServerContext(files.certificate, files.key) if with_tls else None
    context = ssl.create_default_context(cafile=files.authority.file)
    async with serving(tmp_path, tls) as port, aiohttp.ClientSession() as asking:
        for path in ("/metrics", "/livez", "/nothing"):
            scheme = "https" if with_tls else "http"
            async with asking.get(f"{scheme}://{LOOPBACK}:{port}{path}", ssl=context) as answer:
                assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
                assert answer.headers.getall("Server") == ["flatline"]


@pytest.mark.parametrize("wrong", ["missing", "empty", "of another key", "encrypted"])
def test_a_certificate_that_can_not_be_used_is_named(files: Files, wrong: str) -> None:
    """The error has both files and both settings; nobody is asked for a password."""
    match wrong:
        case "missing":
            files.certificate.unlink()
        case "empty":
            files.certificate.write_bytes(b"")
        case "of another key":
            files.key.write_bytes(files.authority.issue("other").key.read_bytes())
        case "encrypted":
            encrypt(files.key)
    with pytest.raises(CertificateError, match=f"{files.certificate} with the key {files.key} can't be used") as error:
        ServerContext(files.certificate, files.key)
    assert "FLATLINE_TLS_CERTIFICATE_FILE and FLATLINE_TLS_KEY_FILE" in error.value.remedy


def encrypt(key: Path) -> None:
    """Give a key a password."""
    from cryptography.hazmat.primitives import serialization

    loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
    encryption = serialization.BestAvailableEncryption(b"password")
    key.write_bytes(loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))


@pytest.mark.parametrize("name", ["TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"])
def test_half_of_the_pair_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whoever sets one of them believes to be protected."""
    monkeypatch.setitem(os.environ, f"FLATLINE_{name}", "/some/file")
    with pytest.raises(SettingsError, match="set together or not at all"):
        load_settings(of_running=False)


def test_nothing_listens_beyond_this_machine_unless_told_to() -> None:
    """The defaults are the loopback address, and HTTP; with the pair it is HTTPS."""
    settings = Settings()
    assert {settings.worker_host, settings.ingest_host} == {LOOPBACK}
    assert (settings.scheme, settings.server_context) == ("http", None)
    assert Settings(tls_certificate_file=Path("a"), tls_key_file=Path("b")).scheme == "https"
