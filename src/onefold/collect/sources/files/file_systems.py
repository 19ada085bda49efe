"""The file systems behind locations, each asked only at an address that may be called."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.http_place import HttpPlace
from onefold.collect.sources.files.object_stores import STORES, open_store
from onefold.collect.sources.files.sftp_place import open_sftp
from onefold.model.errors import Fault, InvalidInput, OnefoldError, Unauthorized, Unreachable

LOCAL = ("", "file")
_RAISED = {
    "aiohttp.client_exceptions": ("ClientError",),
    "azure.core.exceptions": ("AzureError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "gcsfs.retry": ("ChecksumError", "HttpError", "NonRetryableError"),
    "google.auth.exceptions": ("GoogleAuthError",),
    "paramiko": ("SSHException",),
    "requests.exceptions": ("RequestException",),
}
"""What drivers raise where a place does not answer, or refuses."""
_REFUSED = ("401", "403")
_NO_KEYS = {
    "AuthenticationException", "BadAuthenticationType", "DefaultCredentialsError", "NoCredentialsError",
    "PartialCredentialsError", "PasswordRequiredException", "RefreshError",
}  # fmt: skip


def open_place(location: str, access: Mapping[str, Any], reach: Reach) -> tuple[Any, str]:
    """The file system of a location, and the path within it."""
    parts = urlsplit(location)
    scheme = parts.scheme
    if scheme in ("http", "https"):
        return HttpPlace(reach, access), location
    if scheme in STORES:
        with answering(location):
            fs = open_store(scheme, access, reach)
            return fs, fs._strip_protocol(location)
    if scheme in ("sftp", "ssh"):
        with answering(location):
            return open_sftp(location, access, reach)
    if scheme not in LOCAL or "::" in location:
        hint = "there are files, http, https, sftp, s3, gs and az"
        said = f"{location.partition(':')[0]} is none"
        raise InvalidInput("the place cannot be used", [Fault(said, "location", hint)])
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - only for such

    local = LocalFileSystem(**access)
    return local, local._strip_protocol(location)


@contextmanager
def answering(place: str) -> Iterator[None]:
    """What drivers raise as our errors; that a file is not there stays as it is."""
    try:
        yield
    except (FileNotFoundError, OnefoldError):
        raise
    except _raised() as error:
        said = " ".join(str(error).split())[:500] or type(error).__name__
        if _is_refused(error):
            raise Unauthorized(f"{place} refuses these keys: {said}") from error
        raise Unreachable(f"{place} does not answer: {said}") from error


def _raised() -> tuple[type[Exception], ...]:
    """All that says that a place does not answer, of the drivers that are loaded."""
    drivers = [
        getattr(sys.modules[module], name)
        for module, names in _RAISED.items()
        if module in sys.modules
        for name in names
    ]
    return (OSError, EOFError, ValueError, RuntimeError, *drivers)


def _is_refused(error: BaseException | None) -> bool:
    """Do the keys not open it? Drivers hide that in what they were caused by."""
    while error is not None:
        if isinstance(error, PermissionError):
            return True
        codes = (getattr(error, "status_code", None), getattr(error, "code", None))
        if any(str(code) in _REFUSED for code in codes):
            return True
        if type(error).__name__ in _NO_KEYS:
            return True
        error = error.__cause__
    return False
