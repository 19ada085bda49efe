"""A made-up online shop whose truth is known: for the demo, for tests and for benches.

In: a seed and a number of customers. Out: the calls that the shop's web site, app, backend,
helpdesk and mailing service would make, and who is who behind them.
"""

from onefold.testing.shop.examples import Example, examples
from onefold.testing.shop.messages import DEFAULT_COUNTRY, SOURCES, Message
from onefold.testing.shop.play import as_history, batches, demo, fast_time, real_time
from onefold.testing.shop.segments import SEGMENTS, definitions
from onefold.testing.shop.shop import Shop
from onefold.testing.shop.truth import Truth

__all__ = [
    "DEFAULT_COUNTRY",
    "SEGMENTS",
    "SOURCES",
    "Example",
    "Message",
    "Shop",
    "Truth",
    "as_history",
    "batches",
    "definitions",
    "demo",
    "examples",
    "fast_time",
    "real_time",
]
