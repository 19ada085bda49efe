"""From what a person wrote, in four places, to `Settings`; every fault at once."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from onefold.config.settings import ENVIRONMENT_PREFIX, Setting, Settings, catalogue
from onefold.model.errors import Fault, InvalidInput
from onefold.model.quantities import duration_text, parse_duration, parse_size, size_text

CONFIG_FILE = "onefold.toml"
CONFIG_VARIABLE = ENVIRONMENT_PREFIX + "CONFIG"


class Loaded(msgspec.Struct, frozen=True):
    """Settings with the origin of each: a flag, a variable, the file, or `default`."""

    settings: Settings
    origins: dict[str, str]
    file: Path | None = None


def load_settings(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    toml_text: str = "",
    toml_name: str = CONFIG_FILE,
) -> Loaded:
    """Settings from flags, environment and file; raises `InvalidInput` with every fault.

    >>> loaded = load_settings({"port": "9000"}, {"ONEFOLD_DEDUP_DAYS": "3"}, "sql_rows = 5")
    >>> loaded.settings.port, loaded.settings.dedup_days, loaded.settings.sql_rows
    (9000, 3, 5)
    >>> loaded.origins["port"], loaded.origins["dedup_days"], loaded.origins["host"]
    ('flag --port', 'environment ONEFOLD_DEDUP_DAYS', 'default')
    """
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    origins = dict.fromkeys(catalogue(), "default")
    for origin, name, raw in (
        *_from_file(toml_text, toml_name, faults),
        *_from_environment(environ),
        *_from_flags(flags),
    ):
        setting = catalogue().get(name)
        if setting is None:
            faults.append(_unknown(origin, name))
            continue
        try:
            values[name] = _value(setting, raw)
            origins[name] = origin
        except ValueError as error:
            faults.append(Fault(str(error), origin))
    if faults:
        raise InvalidInput("Some settings are wrong.", faults)
    return Loaded(Settings(**values), origins)


def read_settings(
    flags: Mapping[str, str], environ: Mapping[str, str], config: Path | None = None
) -> Loaded:
    """Settings with the file found: `config` (or ONEFOLD_CONFIG), else DATA/onefold.toml,
    else ./onefold.toml.
    """
    named = environ.get(CONFIG_VARIABLE)
    path = config or (Path(named) if named else _default_config(flags, environ))
    if path is None:
        return load_settings(flags, environ)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The settings file {path} cannot be read: {error}") from error
    loaded = load_settings(flags, environ, text, str(path))
    return msgspec.structs.replace(loaded, file=path)


def as_text(setting: Setting, value: Any, *, masked: bool = True) -> str:
    """A value as one would write it: sizes and durations with their unit, secrets masked."""
    if setting.about.secret and masked:
        return "********" if value else ""
    if isinstance(value, tuple):
        return ",".join(value)
    if setting.about.unit == "bytes":
        return size_text(value)
    if setting.about.unit == "seconds":
        return duration_text(value)
    return str(value)


def _default_config(flags: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
    data = flags.get("data") or environ.get(ENVIRONMENT_PREFIX + "DATA") or Settings().data
    found = [path for path in (Path(data) / CONFIG_FILE, Path(CONFIG_FILE)) if path.is_file()]
    return found[0] if found else None


Given = Iterator[tuple[str, str, Any]]
"""Origin, name and raw value of each setting that one place names."""


def _from_flags(flags: Mapping[str, str]) -> Given:
    for name, raw in flags.items():
        yield "flag --" + name.replace("_", "-"), name, raw


def _from_environment(environ: Mapping[str, str]) -> Given:
    for key, raw in sorted(environ.items()):
        if key.startswith(ENVIRONMENT_PREFIX) and key != CONFIG_VARIABLE:
            yield f"environment {key}", key.removeprefix(ENVIRONMENT_PREFIX).lower(), raw


def _from_file(text: str, where: str, faults: list[Fault]) -> Given:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(str(error), where, "see https://toml.io for how it is written"))
        return
    for key, raw in document.items():
        if isinstance(raw, dict):
            for below, value in raw.items():
                yield f"{where} {key}.{below}", f"{key}_{below}", value
        else:
            yield f"{where} {key}", key, raw


def _unknown(origin: str, name: str) -> Fault:
    near = get_close_matches(name, catalogue(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`onefold config` lists all settings"
    return Fault(f"there is no setting {name!r}", origin, hint)


def _value(setting: Setting, raw: Any) -> Any:
    """The value of one setting; raises ValueError with a message for whoever wrote it."""
    value = _convert(setting, raw)
    about = setting.about
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be a number, not {value}")
    if about.least is not None and value < about.least:
        raise ValueError(f"must be at least {as_text(setting, about.least)}")
    if about.most is not None and value > about.most:
        raise ValueError(f"must be at most {as_text(setting, about.most)}")
    fault = about.check(value) if about.check else None
    if fault:
        raise ValueError(fault)
    return value


def _convert(setting: Setting, raw: Any) -> Any:
    if setting.about.unit == "bytes" and isinstance(raw, str):
        return parse_size(raw)
    if setting.about.unit == "seconds" and isinstance(raw, str):
        return parse_duration(raw)
    if isinstance(setting.default, tuple) and isinstance(raw, str):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if isinstance(setting.default, Path) and isinstance(raw, str) and raw:
        return Path(raw)
    try:
        return msgspec.convert(raw, setting.type, strict=not isinstance(raw, str))
    except msgspec.ValidationError:
        raise ValueError(f"must be {_kind(setting)}, not {raw!r}") from None


def _kind(setting: Setting) -> str:
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    return _KINDS.get(type(setting.default), "a text")


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list of texts",
}
