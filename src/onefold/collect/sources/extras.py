"""Drivers that are not installed with Onefold itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from onefold.model.errors import Fault, InvalidInput


def driver(name: str, extra: str) -> Any:
    """A module that is installed with an extra, loaded now; `InvalidInput` names the extra."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise missing(extra, error) from error


def missing(extra: str, error: ModuleNotFoundError) -> InvalidInput:
    """What to raise where a source's driver is not installed.

    >>> print(missing("kafka", ModuleNotFoundError(name="confluent_kafka")))
    this source needs a driver that is not installed
      confluent_kafka: is missing (pip install 'onefold[kafka]')
    """
    fault = Fault("is missing", error.name or "", f"pip install 'onefold[{extra}]'")
    return InvalidInput("this source needs a driver that is not installed", [fault])
