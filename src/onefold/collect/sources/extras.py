"""Drivers that are not installed with Onefold itself."""

from __future__ import annotations

from onefold.model.errors import Fault, InvalidInput


def missing(extra: str, error: ModuleNotFoundError) -> InvalidInput:
    """What to raise where a source's driver is not installed.

    >>> print(missing("kafka", ModuleNotFoundError(name="confluent_kafka")))
    this source needs a driver that is not installed
      confluent_kafka: is missing (pip install 'onefold[kafka]')
    """
    fault = Fault("is missing", error.name or "", f"pip install 'onefold[{extra}]'")
    return InvalidInput("this source needs a driver that is not installed", [fault])
