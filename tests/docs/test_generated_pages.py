"""The reference pages are complete, and say what the code says."""

import runpy

import pytest
import typer.main

from onefold.cli.program import program
from onefold.config import catalogue

PAGES = {"settings-page": "configuration.md", "commands-page": "commands.md"}


def names(command, name):
    """The full names of all commands below one, without hidden ones."""
    below = {
        word: child for word, child in getattr(command, "commands", {}).items() if not child.hidden
    }
    return [f for word in below for f in names(below[word], f"{name} {word}")] or [name]


@pytest.mark.parametrize("script", PAGES)
def test_a_generated_page_is_up_to_date(script, root):
    written = (root / "docs" / PAGES[script]).read_text(encoding="utf-8")
    made = runpy.run_path(str(root / "scripts" / script))["page"]()
    assert written == made, "run `make docs`"


def test_every_setting_has_a_row(root):
    page = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in catalogue() if f"| `{name}` |" not in page] == []


def test_every_command_has_a_section(root):
    page = (root / "docs" / "commands.md").read_text(encoding="utf-8").splitlines()
    every = names(typer.main.get_command(program()), "onefold")
    assert [name for name in every if f"## {name}" not in page] == []
    assert len(every) > 20


def test_every_command_shows_an_example(root):
    sections = (root / "docs" / "commands.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert [part.splitlines()[0] for part in sections if "\n```sh\nonefold " not in part] == []
