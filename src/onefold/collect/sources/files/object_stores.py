"""Files in object stores: S3 and what speaks as it does, Google's and Azure's storage.

What a definition may say of each is a closed list: the drivers' own settings could name any address,
any file of this machine, and programs to run.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.fetching import check_url
from onefold.collect.sources.extras import missing
from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput

_PORTS = {"http": 80, "https": 443}
_ACCOUNT = re.compile("[a-z0-9]{3,24}")
_FRESH = {"use_listings_cache": False, "skip_instance_cache": True}
"""New files are asked for each time, and nothing is shared with other sources."""
_CONNECT, _READ = 15, 60


class _Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    endpoint: str = ""
    anonymous: bool = False


class S3Access(_Access, frozen=True, kw_only=True):
    """Keys of S3; without them those of this machine are used, or none if `anonymous`.

    `endpoint` is the URL of another service that speaks as S3 does.
    """

    key: str = ""
    secret: str = ""
    token: str = ""
    region: str = ""


class GoogleAccess(_Access, frozen=True, kw_only=True):
    """The key of a service account, as Google gives it (JSON); without it, that of this machine."""

    service_account: str = ""


class AzureAccess(_Access, frozen=True, kw_only=True):
    """An account with its key, a shared access signature, or an app that is registered.

    Without all of these, this machine's own identity is used.
    """

    account: str
    key: str = ""
    signature: str = ""
    tenant: str = ""
    client: str = ""
    secret: str = ""


class Store(NamedTuple):
    """Which extra its driver comes with, what its settings are, and how it is opened.

    `in_turn` is what `get_file` is told so that parts of a file come one after the other: its driver would
    hold many of them in memory at once.
    """

    extra: str
    access: type[_Access]
    open: Callable[[Any, Reach], Any]
    in_turn: Mapping[str, int]


def open_store(scheme: str, access: Mapping[str, Any], reach: Reach) -> Any:
    """The file system of an object store; raises `InvalidInput` where its settings cannot work."""
    store = STORES[scheme]
    given = converted(access, store.access, "the place", "access")
    if given.endpoint:
        _check(given.endpoint, reach)
    try:
        return store.open(given, reach)
    except ModuleNotFoundError as error:
        raise missing(store.extra, error) from error


def _check(url: str, reach: Reach) -> None:
    """Raise where a URL may not be called, or nothing answers: drivers would try for minutes."""
    parts = urlsplit(check_url(url))
    port = parts.port or _PORTS[parts.scheme]
    socket.create_connection((reach.address_of(parts.hostname or "", port), port), _CONNECT).close()


def _s3(access: S3Access, _reach: Reach) -> Any:
    from s3fs import S3FileSystem  # noqa: PLC0415 - an extra

    return S3FileSystem(
        anon=access.anonymous,
        key=access.key or None,
        secret=access.secret or None,
        token=access.token or None,
        endpoint_url=access.endpoint or None,
        client_kwargs={"region_name": access.region} if access.region else {},
        config_kwargs={
            "connect_timeout": _CONNECT,
            "read_timeout": _READ,
            "retries": {"max_attempts": 3},
        },
        **_FRESH,
    )


def _google(access: GoogleAccess, reach: Reach) -> Any:
    # The class that the package gives out would ask by gRPC first, which endpoints of others do not speak.
    from gcsfs.core import GCSFileSystem  # noqa: PLC0415 - an extra

    token: Any = "anon" if access.anonymous else "google_default"
    if access.service_account:
        token = _service_account(access.service_account, reach)
    return GCSFileSystem(token=token, endpoint_url=access.endpoint or None, **_FRESH)


def _service_account(text: str, reach: Reach) -> Any:
    from google.auth.transport.requests import Request  # noqa: PLC0415 - an extra
    from google.oauth2 import service_account  # noqa: PLC0415 - an extra

    read: Any = service_account.Credentials.from_service_account_info
    try:
        told = json.loads(text)
        _check(told["token_uri"], reach)
        made = read(told, scopes=["https://www.googleapis.com/auth/devstorage.read_write"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "put the whole JSON file of a service account's key into a secret"
        fault = Fault("is no key of a service account", "access.service_account", hint)
        raise InvalidInput("the place cannot be used", [fault]) from error
    made.refresh(Request())  # the driver would take a refusal for something that passes
    return made


def _azure(access: AzureAccess, _reach: Reach) -> Any:
    from adlfs import AzureBlobFileSystem  # noqa: PLC0415 - an extra

    faults = [
        Fault("cannot be one", f"access.{name}")
        for name, value in (("key", access.key), ("signature", access.signature))
        if ";" in value
    ]
    if not _ACCOUNT.fullmatch(access.account):
        faults.append(Fault("is no name of an account", "access.account", "3 to 24 of a-z and 0-9"))
    if faults:
        raise InvalidInput("the place cannot be used", faults)
    known: dict[str, Any] = {"account_name": access.account, "anon": access.anonymous}
    if access.endpoint:
        told = {
            "BlobEndpoint": access.endpoint.replace(";", ""),
            "AccountName": access.account,
            "AccountKey": access.key,
            "SharedAccessSignature": access.signature,
        }
        text = ";".join(f"{name}={value}" for name, value in told.items() if value)
        known["connection_string"] = text
    else:
        known |= {"account_key": access.key or None, "sas_token": access.signature or None}
    if access.client:
        known |= {"tenant_id": access.tenant, "client_id": access.client}
        known["client_secret"] = access.secret
    return AzureBlobFileSystem(connection_timeout=_CONNECT, read_timeout=_READ, **known, **_FRESH)


_S3 = Store("s3", S3Access, _s3, {"max_concurrency": 1})
_GOOGLE = Store("gcs", GoogleAccess, _google, {"concurrency": 1})
_AZURE = Store("azure", AzureAccess, _azure, {"max_concurrency": 1})
STORES = {
    "s3": _S3,
    "gs": _GOOGLE,
    "gcs": _GOOGLE,
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
}
