"""What the log holds of loads that were taken back."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from onefold.model.mapping import RECORDS
from onefold.model.records import decode_accepted


class _Loaded(msgspec.Struct):
    load: str = ""


_decode = msgspec.json.Decoder(_Loaded).decode


def is_of(payload: bytes, loads: Collection[str]) -> bool:
    """Does an accepted call hold records of one of these loads?"""
    accepted = decode_accepted(payload)
    if accepted.kind != RECORDS:
        return False
    try:
        return _decode(accepted.body).load in loads
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
