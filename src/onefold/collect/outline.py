"""Tell whether a body is JSON on the outside where no JSON parser takes it as a whole.

One event with `NaN`, a lone surrogate or ten thousand brackets makes a parser refuse its whole
batch. Here only strings and brackets count, and there is no recursion; standardize then
judges each event by itself.
"""

from __future__ import annotations

import re
from itertools import islice

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++|"', re.DOTALL)
_MAX_TOKENS = 1_000_000  # no batch of real events has as many; it bounds the time this takes
_QUOTE = 0x22
_OPENS = b"[{"


def outline(body: bytes) -> bytes | None:
    """The outer object or list, with null for each object and list in it.

    None where quotes or brackets are not closed, or where something follows.

    >>> outline(b'{"sentAt": "now", "batch": [{"a": NaN}]}')
    b'{"sentAt": "now", "batch": null}'
    >>> outline(b'{"batch": [}') is None
    True
    """
    kept = bytearray()
    depth = copied = 0
    for match in islice(_TOKEN.finditer(body), _MAX_TOKENS):
        start, end = match.span()
        first, length = body[start], end - start
        if first == _QUOTE:
            if length == 1:
                return None
        elif first in _OPENS:
            if depth <= 1 < depth + length:
                kept += body[copied : start + 1 - depth] + b"null"
            depth += length
        else:
            if depth - length <= 1 < depth:
                copied = start + depth - 1
            if depth <= length:
                close = start + depth
                whole = depth == length and not body[close:].strip()
                return bytes(kept + body[copied:close]) if whole else None
            depth -= length
    return None
