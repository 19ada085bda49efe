"""Which jobs there are, and who does them."""

from __future__ import annotations

UNDO = "undo-load"
"""Taking back what a load brought."""
WORKER = ("rebuild", UNDO)
"""Jobs that only the owner of the profiles can do."""
APART = (
    "backfill",
    "claims",
    "choose",
    "rebuild-check",
    "refresh",
    "backtest",
    "quality",
    "list",
    "import",
    "identity-trial",
    "dedupe",
)
"""Jobs that only read; a process of its own does them."""
TRIAL = "identity-trial"
"""Trying identity rules on everybody."""
DEDUPE = "dedupe"
"""Finding the people in a file that was handed in."""
REGROUP = "regroup"
"""Deciding anew who is who, after the identity rules changed; the worker does it by itself."""
MATCH = "match"
"""Matching everybody by a match model that came into force; the worker does it by itself."""
ASKABLE = ("rebuild", "rebuild-check")
"""Jobs that may be asked for by their name alone; others are asked for where they belong."""
