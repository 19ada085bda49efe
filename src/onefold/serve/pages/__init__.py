"""Two small pages and what they load; nothing comes from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib import resources

TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
ASSETS = ("status.js", "docs.js", "style.css")


@cache
def page(name: str) -> bytes:
    """The bytes of a page or of a file that it loads."""
    return resources.files(__name__).joinpath(name).read_bytes()
