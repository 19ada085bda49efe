"""Certificates for servers that tests start: an authority of their own, and one for `localhost`."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


class Certificates(NamedTuple):
    """The authority's certificate as text, and the files of the server's."""

    ca: str
    ca_file: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, user: str = "", name: str = "localhost") -> Certificates:
    """Certificates in this folder, which only `user` may read."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _signed("Onefold tests", ca_key, "Onefold tests", ca_key, is_ca=True)
    key = ec.generate_private_key(ec.SECP256R1())
    own = _signed(name, key, "Onefold tests", ca_key, is_ca=False)
    files = {
        "ca.pem": _pem(ca),
        "server.pem": _pem(own),
        "server.key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    }
    for file, data in files.items():
        path = folder / file
        path.write_bytes(data)
        path.chmod(0o600)
        if os.geteuid() == 0 and user:
            shutil.chown(path, user, user)
    if os.geteuid() == 0 and user:
        shutil.chown(folder, user, user)
    found = [folder / file for file in files]
    return Certificates(files["ca.pem"].decode(), *found)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: str,
    by_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if is_ca:
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = made.add_extension(usage, critical=True)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return made.sign(by_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
