"""REST APIs: described as data, read page by page, from the parent down to its children."""

from __future__ import annotations

from functools import cache
from importlib import resources

_ENDING = ".yaml"


@cache
def ready_names() -> frozenset[str]:
    """The types of sources that are described ready-made, such as `shopify`."""
    folder = resources.files("onefold.collect.sources.rest").joinpath("ready")
    return frozenset(
        one.name.removesuffix(_ENDING) for one in folder.iterdir() if one.name.endswith(_ENDING)
    )
