"""Files by SFTP: connected to the address that was judged, of a server that proves to be the one meant."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.extras import missing
from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput

_PORT = 22
_SECONDS = 15
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
_KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", *_RSA,
)  # fmt: skip
"""The kinds of keys that servers prove to have."""


class SftpAccess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who asks, with a password or a private key: its text, or a file of this machine.

    `host_key` is what the server must prove to have (`ssh-ed25519 AAAA…`, a line of `ssh-keyscan`
    without the name). Without it any server is believed.
    """

    username: str = ""
    password: str = ""
    key: str = ""
    key_filename: str = ""
    passphrase: str = ""
    host_key: str = ""


def open_sftp(location: str, access: Mapping[str, Any], reach: Reach) -> tuple[Any, str]:
    """The file system, and the path within it."""
    try:
        from fsspec.implementations.sftp import SFTPFileSystem  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing("sftp", error) from error
    given = converted(access, SftpAccess, "the place", "access")
    told = SFTPFileSystem._get_kwargs_from_urls(location)
    parts = urlsplit(location)
    host, port = parts.hostname or "", parts.port or _PORT
    told = {name: value for name, value in told.items() if name not in ("host", "port")}
    if given.username:
        told["username"] = given.username
    for name in ("password", "key_filename", "passphrase"):
        if value := getattr(given, name):
            told[name] = value
    if given.key:
        told["pkey"] = _private_key(given)
    if given.host_key:
        told["disabled_algorithms"] = {"keys": _others(given.host_key)}
    connection = socket.create_connection((reach.address_of(host, port), port), _SECONDS)
    file_system = SFTPFileSystem(
        host,
        port=port,
        sock=connection,
        host_key_policy=_policy(given.host_key),
        allow_agent=False,
        look_for_keys=False,
        skip_instance_cache=True,
        **told,
    )
    return file_system, file_system._strip_protocol(location)


def _others(host_key: str) -> list[str]:
    """The kinds of keys that a server is not asked for: of several that it has, it shows one."""
    kind, _, rest = host_key.strip().partition(" ")
    if kind not in _KEY_TYPES or not rest:
        hint = "a line of `ssh-keyscan HOST` without the name, such as `ssh-ed25519 AAAA…`"
        raise InvalidInput(
            "the place cannot be used", [Fault("is no key of a server", "access.host_key", hint)]
        )
    meant = _RSA if kind in _RSA else (kind,)
    return [one for one in _KEY_TYPES if one not in meant]


def _policy(host_key: str) -> Any:
    import paramiko  # noqa: PLC0415 - an extra

    if not host_key:
        return "auto_add"

    class Only(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        """Believes the server that has this key."""

        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            if [key.get_name(), key.get_base64()] != host_key.split()[:2]:
                told = f"{key.get_name()} {key.get_base64()}"
                fault = Fault(f"has the key {told}", "access.host_key", "is it still the same?")
                raise InvalidInput(f"{hostname} is not the server that was meant", [fault])

    return Only()


def _private_key(given: SftpAccess) -> Any:
    import paramiko  # noqa: PLC0415 - an extra

    locked = False
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(given.key), given.passphrase or None)
        except paramiko.PasswordRequiredException:
            locked = True
        except (paramiko.SSHException, ValueError):
            continue
    hint = "put the text of an Ed25519, ECDSA or RSA key into a secret"
    fault = Fault("is no private key", "access.key", hint)
    if locked:
        fault = Fault("is missing, and the key needs one", "access.passphrase")
    elif given.passphrase:
        fault = Fault("does not open the key, or that is none", "access.passphrase", hint)
    raise InvalidInput("the place cannot be used", [fault])
