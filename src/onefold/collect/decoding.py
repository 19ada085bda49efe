"""From the bytes of a request to the bytes of its JSON, never more than the limit.

Content-Type and Content-Encoding are not believed: clients get them wrong, and browsers force
them. Compression is known by its magic number, JSON by its first character.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

import zstandard
from isal import isal_zlib

from onefold.model.errors import InvalidInput, TooLarge

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW = 31
_ZSTD_MAX_WINDOW = 8 << 20
_BOM = b"\xef\xbb\xbf"


def decode_body(body: bytes, limit: int) -> bytes:
    """The JSON text in a request's body: decompressed, and taken out of a form where it is in one.

    Raises `TooLarge` over `limit` bytes, where inflating stops, and `InvalidInput` for damage.
    """
    if body[:2] == GZIP:
        body = _inflate_gzip(body, limit)
    elif body[:4] == ZSTD:
        body = _inflate_zstd(body, limit)
    if len(body) > limit:
        raise too_large(limit)
    if body[:1] == b"{":
        return body
    body = body.removeprefix(_BOM).lstrip()
    return body if body[:1] in (b"{", b"[") else _from_form(body)


def too_large(limit: int) -> TooLarge:
    """The error for a body over the limit."""
    return TooLarge(f"the body is larger than {limit >> 20} MB; send fewer events at a time")


def _inflate_gzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit + 1
    try:
        while body[:2] == GZIP:
            member = isal_zlib.decompressobj(_GZIP_WINDOW)
            parts.append(member.decompress(body, room))
            room -= len(parts[-1])
            if room <= 0:
                raise too_large(limit)
            if not member.eof:
                raise InvalidInput("the gzip body is cut short")
            body = member.unused_data
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub says it is an instance
        raise InvalidInput(f"the gzip body is damaged: {error}") from error
    if body.strip(b"\0"):
        raise InvalidInput("the gzip body has something else behind it")
    return b"".join(parts)


def _inflate_zstd(body: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW)
    try:
        with decompressor.stream_reader(body, read_across_frames=True) as reader:
            return reader.read(limit + 1)
    except zstandard.ZstdError as error:
        raise InvalidInput(f"the zstd body is damaged: {error}") from error


def _from_form(body: bytes) -> bytes:
    """JSON that was sent as a form: `data=…`, or all of it percent-encoded, plain or base64."""
    value = body.partition(b"=")[2] if body.startswith((b"data=", b"payload=")) else body
    value = value.partition(b"&")[0]
    text = unquote_to_bytes(value.replace(b"+", b" ")).strip()
    if text[:1] == b"{":
        return text.removesuffix(b"=")
    try:
        text = base64.b64decode(unquote_to_bytes(value), validate=True).strip()
    except binascii.Error:
        return body
    return text if text[:1] == b"{" else body
