"""What is asked of finding the people in records that are handed in, and what is answered."""

from __future__ import annotations

from typing import Any

import msgspec


class ClusteredRecords(msgspec.Struct, frozen=True):
    """Of each record, in their order, the number of its person; and of each person the golden record.

    `columns` is what each column was taken to hold. Precision and recall are what the model expects of
    itself; of few records they say little.
    """

    columns: dict[str, str]
    profiles: tuple[int, ...]
    golden: tuple[dict[str, Any], ...]
    expected_precision: float
    expected_recall: float
    model_version: str
