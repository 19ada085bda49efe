"""How connections of sources are encrypted: certificates are checked unless a definition says else."""

from __future__ import annotations

import atexit
import ipaddress
import shutil
import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

from onefold.model.errors import Fault, InvalidInput

Tls = bool | Literal["unverified"] | None
"""`true` encrypts and checks the certificate for the host's name, `false` does not encrypt,
`unverified` encrypts and believes any server. Left out: as `true`, but plain on this machine."""


def is_wanted(tls: Tls, address: str) -> bool:
    """Is a connection to this address to be encrypted?

    >>> is_wanted(None, "10.1.2.3"), is_wanted(None, "127.0.0.1"), is_wanted(False, "10.1.2.3")
    (True, False, False)
    """
    if tls is None:
        return not ipaddress.ip_address(address.partition("%")[0]).is_loopback
    return bool(tls)


def context_of(tls: Tls, ca: str) -> ssl.SSLContext:
    """How to encrypt; `ca` are certificates (PEM) to trust instead of those that this machine does."""
    try:
        context = ssl.create_default_context(cadata=ca or None)
    except (ssl.SSLError, ValueError) as error:
        hint = "give the text that begins with -----BEGIN CERTIFICATE-----"
        raise InvalidInput(
            "the connection cannot be encrypted", [Fault("is no certificate", "ca", hint)]
        ) from error
    if tls == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def for_name(context: ssl.SSLContext, name: str) -> ssl.SSLContext:
    """The same for a library that connects to an address, and would check certificates for that."""

    class Named(ssl.SSLContext):
        def wrap_socket(self, sock: Any, **given: Any) -> ssl.SSLSocket:  # type: ignore[override]
            return context.wrap_socket(sock, **{**given, "server_hostname": name})

    made = Named(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = context.check_hostname
    return made


def libpq_options(tls: Tls, ca: str, address: str) -> dict[str, Any]:
    """The same for PostgreSQL's library, which reads certificates from a file."""
    if not is_wanted(tls, address):
        return {} if tls is None else {"sslmode": "disable"}
    if tls == "unverified":
        return {"sslmode": "require"}
    context_of(tls, ca)
    return {"sslmode": "verify-full", "sslrootcert": _file_of(ca) if ca else _trusted()}


def pymysql_options(tls: Tls, ca: str, address: str) -> dict[str, Any]:
    """The same for MySQL's."""
    if is_wanted(tls, address):
        return {"ssl": context_of(tls, ca)}
    return {} if tls is None else {"ssl_disabled": True}


def java_options(ca: str) -> list[str]:
    """The same for a program in Java: what it trusts instead of its own certificates."""
    if not ca:
        return []
    context_of(None, ca)
    return [
        f"-Djavax.net.ssl.trustStore={_java_file_of(ca)}",
        "-Djavax.net.ssl.trustStorePassword=",
    ]


@cache
def _java_file_of(ca: str) -> str:
    # Read only where a definition has certificates for Java.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12  # noqa: PLC0415

    found = x509.load_pem_x509_certificates(ca.encode())
    trusted = [pkcs12.PKCS12Certificate(one, str(n).encode()) for n, one in enumerate(found)]
    file = _own_folder() / "ca.p12"
    file.write_bytes(pkcs12.serialize_java_truststore(trusted, NoEncryption()))
    return str(file)


@cache
def _file_of(ca: str) -> str:
    file = _own_folder() / "ca.pem"
    file.write_text(ca)
    return str(file)


def _own_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="onefold-ca-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _trusted() -> str:
    """The certificates that this machine trusts."""
    found = ssl.get_default_verify_paths()
    if found.cafile:
        return found.cafile
    import certifi  # noqa: PLC0415 - where the machine has none of its own

    return certifi.where()
