"""From one page of an answer to the next, in each way that APIs have."""

from __future__ import annotations

import re
from typing import Any

from onefold.collect.fetching import Answer
from onefold.collect.sources.rest.settings import Paging
from onefold.collect.sources.rest.values import at

Page = dict[str, Any]
"""Which page is next: `url`, or the `value` of the parameter. What JSON can say, for positions."""

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


def first_page(paging: Paging) -> Page:
    """Where to begin."""
    start = {"page": paging.first, "offset": 0}
    return {"value": start[paging.type]} if paging.type in start else {}


def parameters(paging: Paging, page: Page) -> dict[str, Any]:
    """What to send for this page, in query or body."""
    sent: dict[str, Any] = {}
    if paging.size_parameter and paging.size:
        sent[paging.size_parameter] = paging.size
    if paging.parameter and "value" in page:
        sent[paging.parameter] = page["value"]
    return sent


def next_page(
    paging: Paging, page: Page, said: Any, answer: Answer, records: list[Any]
) -> Page | None:
    """The page behind this one; None where it was the last."""
    if paging.more and not at(said, paging.more):
        return None
    if paging.done and at(said, paging.done):
        return None
    found = _following(paging, page, said, answer, records)
    return None if found == page else found


def _following(
    paging: Paging, page: Page, said: Any, answer: Answer, records: list[Any]
) -> Page | None:
    kind = paging.type
    if kind == "link":
        found = _NEXT.search(answer.headers.get("link", ""))
        return {"url": found[1]} if found else None
    if kind == "next":
        url = at(said, paging.at)
        return {"url": url} if isinstance(url, str) and url else None
    if kind == "token":
        token = at(said, paging.at)
        return {"value": token} if token not in (None, "", False) else None
    if not records or kind == "none":
        return None
    if kind == "last":
        value = at(records[-1], paging.at)
        return None if value is None else {"value": value}
    if paging.size and len(records) < paging.size:
        return None
    step = 1 if kind == "page" else len(records)
    return {"value": page.get("value", paging.first if kind == "page" else 0) + step}
