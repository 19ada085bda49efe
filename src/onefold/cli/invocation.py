"""What every command shares: its settings, `--json`, and how it fails.

A command is a function that takes an `Invocation` first and its own arguments after. The decorator
adds `--data`, `--config`, `--json` and a flag for each setting; they also stand before the command
(`onefold --data DIR status`). Failures that are foreseen end with exit code 1 and every fault.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from onefold.cli.rendering import fail, say, write_json
from onefold.config import Loaded, Settings, as_text, catalogue, read_settings
from onefold.model.errors import Busy, InvalidInput, OnefoldError

_SHOWN = ("data",)


class Invocation:
    """One call of a command: where its settings come from, and in which form it answers."""

    def __init__(self, flags: dict[str, str], config: Path | None, as_json: bool) -> None:
        self._flags = flags
        self._config = config
        self.as_json = as_json

    @cached_property
    def loaded(self) -> Loaded:
        """Settings with the origin of each."""
        return read_settings(self._flags, os.environ, self._config)

    @property
    def settings(self) -> Settings:
        """The settings of this call."""
        return self.loaded.settings

    def read(self, *, tags: Iterable[str] = (), segment: str = "", **asked: Iterable[str]) -> None:
        """Keep that tags were read: with a profile or a segment, by the `rules` or `queries` asked."""
        from onefold.app.tags.reads import Reads, written_reads
        from onefold.app.workspace import now_us

        reads = Reads()
        reads.tags.update(tags)
        reads.segments.update([segment] if segment else [])
        reads.asked(**asked)
        if reads:
            # Not worth waiting for, nor worth failing for.
            with contextlib.suppress(Busy):
                written_reads(self.settings, reads, now_us())

    def show(self, result: Any, render: Callable[[Any], None]) -> None:
        """The result as JSON where asked for, else as `render` writes it."""
        if self.as_json:
            write_json(result)
        else:
            render(result)


def command(
    app: typer.Typer, name: str, *, every_flag: bool = False, hidden: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a command; `every_flag` shows each setting's flag in its help."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        options = _options(_SETTINGS if every_flag else _SHOWN)

        @functools.wraps(function)
        def run(ctx: typer.Context, **values: Any) -> None:
            given = {parameter.name: values.pop(parameter.name) for parameter in own}
            before = ctx.obj if isinstance(ctx.obj, dict) else {}
            invocation = _invocation(before, values)
            try:
                code = function(invocation, **given)
            except OnefoldError as error:
                fail(error, invocation.as_json)
                raise typer.Exit(1) from None
            raise typer.Exit(code or 0)

        _sign(run, [*own, *options])
        help_text = inspect.getdoc(function)
        return app.command(name, help=help_text, hidden=hidden)(run)

    return register


def common_options(app: typer.Typer, version: str) -> None:
    """Accept the same flags before the command's name, and `--version` instead of one."""

    def say_version(wanted: bool) -> None:
        if wanted:
            say(f"onefold {version}")
            raise typer.Exit

    def remember(ctx: typer.Context, **values: Any) -> None:
        ctx.obj = values

    option = typer.Option(
        "--version", help="Print the version.", callback=say_version, is_eager=True
    )
    _sign(
        remember,
        [
            *_options(_SETTINGS, hidden=_HIDDEN),
            _parameter("version", Annotated[bool, option], False),
        ],
    )
    app.callback()(remember)


def _invocation(before: dict[str, Any], values: dict[str, Any]) -> Invocation:
    merged = {**before, **{name: value for name, value in values.items() if value is not None}}
    as_json = bool(before.get("as_json") or values.get("as_json"))
    config = merged.get("config")
    flags = {name: merged[name] for name in catalogue() if merged.get(name) is not None}
    return Invocation(flags, config, as_json)


_SETTINGS = tuple(catalogue())
_HIDDEN = tuple(name for name in _SETTINGS if name not in _SHOWN)


def _options(names: Sequence[str], hidden: Sequence[str] = ()) -> list[inspect.Parameter]:
    rows = catalogue()
    options = []
    for name in names:
        setting = rows[name]
        default = as_text(setting, setting.default) or "nothing"
        about = f"{setting.about.help} Default: {default}."
        option = typer.Option(
            setting.flag,
            help=about,
            metavar="|".join(setting.choices) or setting.metavar,
            hidden=name in hidden,
            rich_help_panel=None if name in _SHOWN else "Settings",
        )
        options.append(_parameter(name, Annotated[str | None, option], None))
    config = typer.Option("--config", help="The settings file.", metavar="FILE")
    as_json = typer.Option("--json", help="Answer with one JSON document.")
    options.append(_parameter("config", Annotated[Path | None, config], None))
    options.append(_parameter("as_json", Annotated[bool, as_json], False))
    return options


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _sign(function: Any, parameters: list[inspect.Parameter]) -> None:
    kind = inspect.Parameter.KEYWORD_ONLY
    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    named = [parameter.replace(kind=kind) for parameter in parameters]
    function.__signature__ = inspect.Signature([context, *named])
    function.__annotations__ = {one.name: one.annotation for one in [context, *named]}
    function.__dict__.pop("__wrapped__", None)


def parse_time(text: str | None) -> int | None:
    """Microseconds of an ISO time such as `2026-01-31` or `2026-01-31T10:00Z` (else UTC)."""
    from onefold.model.moments import read_iso

    if text is None:
        return None
    found = read_iso(text)
    if found is None:
        raise InvalidInput(f"{text!r} is no time; write for example 2026-01-31T10:00Z")
    return found
