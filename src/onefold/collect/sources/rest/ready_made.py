"""Ready-made descriptions of APIs: a YAML file each, whose parameters a definition's settings fill."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from onefold.collect.sources.rest import ready_names
from onefold.collect.sources.rest.values import filled
from onefold.model.errors import Fault, InvalidInput


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a definition's settings must say, or may (where there is a default).

    What belongs to a `way` of proving who we are must be said only where that way is taken.
    """

    help: str
    default: str | None = None
    secret: bool = False
    way: str = ""


class ReadyMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A description: what it takes, how the API is read, and what its records become.

    Of its `ways` the first holds of which a parameter is given, else the first of all; it adds to `rest`.
    """

    title: str
    parameters: dict[str, Parameter]
    rest: dict[str, Any]
    mapping: dict[str, Any]
    ways: dict[str, dict[str, Any]] = {}

    def way_of(self, given: Mapping[str, Any]) -> str:
        """The way that settings take."""
        taken = (name for name in self.ways if any(self._is_of(key, name) for key in given))
        return next(taken, next(iter(self.ways), ""))

    def _is_of(self, key: str, way: str) -> bool:
        return key in self.parameters and self.parameters[key].way == way


@cache
def ready_made() -> dict[str, ReadyMade]:
    """All descriptions that are shipped, by the type of source that each is."""
    folder = resources.files("onefold.collect.sources.rest").joinpath("ready")
    found = {}
    for name in sorted(ready_names()):
        text = folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
        found[name] = msgspec.convert(yaml.safe_load(text), ReadyMade)
    return found


def settings_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a REST source that a type and its parameters make; every fault at once.

    `streams` may name those that are to be read.
    """
    one = ready_made()[name]
    faults = [
        Fault("is not known", f"settings.{key}", f"known are {', '.join(one.parameters)}, streams")
        for key in given
        if key not in one.parameters and key != "streams"
    ]
    values: dict[str, str] = {}
    way = one.way_of(given)
    for key, parameter in one.parameters.items():
        if parameter.way not in ("", way) and key not in given:
            continue
        value = given.get(key, parameter.default)
        if not isinstance(value, str) or not value:
            faults.append(Fault("is missing", f"settings.{key}", parameter.help))
        else:
            values[key] = str(filled(value, values))
    streams = {stream["name"] for stream in one.rest["streams"]}
    chosen = given.get("streams", sorted(streams))
    if not isinstance(chosen, (list, tuple)) or not set(chosen) <= streams or not chosen:
        faults.append(Fault("must be a list of", "settings.streams", ", ".join(sorted(streams))))
    if faults:
        raise InvalidInput(f"the settings of {name} are wrong", faults)
    made: dict[str, Any] = filled({**one.rest, **one.ways.get(way, {})}, values)
    made["streams"] = [stream for stream in made["streams"] if stream["name"] in chosen]
    return made
