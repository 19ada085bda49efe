"""What is in force is written back into the files, and nothing else in them is touched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.app.definitions.applying import apply, put
from onefold.app.definitions.export import export
from onefold.app.definitions.files import Reading, Written, definition_files
from onefold.app.identity.planning import plan
from onefold.model.errors import InvalidInput
from tests.acceptance.conftest import Stepped

LEVELS = """\
# Levels of our customers.
kind: tag          # a tag
name: 'level'
owner: "Ann"

cases:
  # the best
  - value: gold    # gold!
    when: >-
      spent > 100
      and orders > 2
  - {value: silver, when: 'spent > 10'}   # the rest

tests:
  - name: none yet
---
# How much.
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue)
description: |
  All that was paid,
  ever.
---
kind: trait
name: orders
expression: count_of('Order Completed')
"""
HOOK = """\
kind: destination
name: hook
type: webhook
url: http://127.0.0.1:9/
secret: {secret: hook}
headers: {X-Shop: plain}  # known here
"""


@pytest.fixture
def folder(onefold: Stepped, tmp_path: Path) -> Path:
    folder = tmp_path / "definitions"
    (folder / "tags").mkdir(parents=True)
    (folder / "tags" / "levels.yaml").write_text(LEVELS)
    (folder / "hook.yml").write_text(HOOK)
    apply(onefold.settings, folder)
    return folder


def change(onefold: Stepped, kind: str, name: str, **more: Any) -> None:
    """What the API does."""
    live = {(one.kind, one.name): one.body for one in onefold.store.registry.definitions()}
    body = {**live.get((kind, name), {}), **more}
    body = {key: value for key, value in body.items() if value is not None}
    put(onefold.store, Reading([Written(kind, name, body, "body")], []), "api")


def test_what_did_not_change_stays_to_the_byte(onefold: Stepped, folder: Path) -> None:
    assert export(onefold.settings, folder).changes == ()
    assert (folder / "tags" / "levels.yaml").read_text() == LEVELS
    assert (folder / "hook.yml").read_text() == HOOK


def test_a_change_is_made_in_its_place(onefold: Stepped, folder: Path) -> None:
    cases = [{"value": "gold", "when": "spent > 200"}, {"value": "silver", "when": "spent > 20"}]
    change(onefold, "tag", "level", cases=cases, owner="Bob", folder="sales")
    change(onefold, "trait", "spent", description=None)

    found = export(onefold.settings, folder)
    assert [(one.file, one.action, one.name) for one in found.changes] == [
        ("tags/levels.yaml", "change", "level"),
        ("tags/levels.yaml", "change", "spent"),
    ]
    expected = (
        LEVELS.replace("spent > 100\n      and orders > 2", "spent > 200")
        .replace("'spent > 10'", "'spent > 20'")
        .replace('"Ann"', '"Bob"')
        .replace("  - name: none yet\n", "  - name: none yet\nfolder: sales\n")
        .replace("description: |\n  All that was paid,\n  ever.\n", "")
    )
    assert (folder / "tags" / "levels.yaml").read_text() == expected
    assert plan(onefold.settings, folder, prune=True).changes == ()


def test_new_ones_get_a_file_and_those_taken_out_go(onefold: Stepped, folder: Path) -> None:
    change(onefold, "segment", "vips & co", rule="level = 'gold'")
    change(onefold, "trait", "age", type="number")
    put(onefold.store, Reading([], []), "api", gone=[("destination", "hook")])

    assert [(one.file, one.action) for one in export(onefold.settings, folder).changes] == [
        ("hook.yml", "delete"),
        ("segments/vips-co.yaml", "create"),
        ("tags/levels.yaml", "create"),
    ]
    files = [path.relative_to(folder).as_posix() for path in definition_files(folder)]
    assert files == ["segments/vips-co.yaml", "tags/levels.yaml"]
    written = "---\nkind: trait\nname: age\ntype: number\n"
    assert (folder / "tags" / "levels.yaml").read_text() == LEVELS + written
    assert plan(onefold.settings, folder, prune=True).changes == ()


def test_secrets_are_not_written_into_files(onefold: Stepped, folder: Path) -> None:
    change(onefold, "destination", "hook", headers={"X-Shop": "other"}, timeout=7)
    export(onefold.settings, folder)
    text = (folder / "hook.yml").read_text()
    assert "secret: {secret: hook}\nheaders: (hidden)  # known here\ntimeout: 7\n" in text
    assert plan(onefold.settings, folder, prune=True).changes == ()
    assert export(onefold.settings, folder).changes == ()


def test_check_writes_nothing(onefold: Stepped, folder: Path) -> None:
    change(onefold, "tag", "level", owner="Bob")
    assert len(export(onefold.settings, folder, check=True).changes) == 1
    assert (folder / "tags" / "levels.yaml").read_text() == LEVELS
    (folder / "broken.yaml").write_text("kind: [\n")
    with pytest.raises(InvalidInput, match=r"broken\.yaml:2"):
        export(onefold.settings, folder)


TEXT = st.text(max_size=30)
VALUE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)
STYLES = st.sampled_from([None, "'", '"', "|", ">"])
TRAIT = st.fixed_dictionaries(
    {"type": st.sampled_from(["number", "text"])},
    optional={"description": TEXT, "owner": TEXT, "folder": TEXT},
)
TAG = st.fixed_dictionaries(
    {
        "cases": st.lists(
            st.builds(
                lambda value, over: {"value": value, "when": f"age > {over}"},
                VALUE,
                st.integers(0, 9),
            ),
            min_size=1,
            max_size=4,
        )
    },
    optional={"description": TEXT},
)
BODIES = st.dictionaries(
    st.sampled_from([("trait", "a"), ("trait", "b"), ("tag", "c"), ("tag", "d")]),
    st.none(),
    min_size=1,
).flatmap(
    lambda keys: st.fixed_dictionaries({key: TRAIT if key[0] == "trait" else TAG for key in keys})
)


class Styled(yaml.SafeDumper):
    """Writes texts in a style of the test's choice."""

    chosen: ClassVar[list[str | None]] = []


def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = Styled.chosen[len(text) % len(Styled.chosen)]
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


Styled.add_representer(str, represent)


def as_written(bodies: dict[Any, Any], styles: list[str | None], flow: bool) -> str:
    """Documents in some style, with a comment of its own before each key."""
    Styled.chosen = styles
    pages = []
    for (kind, name), body in bodies.items():
        lines = [f"kind: {kind}", f"name: {name}"]
        for key, value in body.items():
            if flow and not isinstance(value, str):
                inner = yaml.dump(value, Dumper=Styled, allow_unicode=True, default_flow_style=True)
                shown = f"{key}: {inner}"
            else:
                shown = yaml.dump({key: value}, Dumper=Styled, default_flow_style=False)
            lines += [f"# {kind} {name} {key}", shown.rstrip("\n")]
        pages.append("\n".join([f"# {kind} {name}", *lines]) + "\n")
    return "---\n".join(pages)


@given(BODIES, BODIES, st.lists(STYLES, min_size=1, max_size=4), st.booleans())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_round_trip_changes_nothing_more(
    onefold: Stepped, tmp_path: Path, first: Any, then: Any, styles: Any, flow: bool
) -> None:
    folder = tmp_path / "any"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "all.yaml").write_text(as_written(first, styles, flow), newline="")
    apply(onefold.settings, folder, prune=True)
    assert export(onefold.settings, folder).changes == ()

    written = [Written(*key, body, "body") for key, body in then.items()]
    put(onefold.store, Reading(written, []), "api", prune=True)
    export(onefold.settings, folder)

    assert plan(onefold.settings, folder, prune=True).changes == ()
    text = "".join(path.read_text() for path in definition_files(folder))
    for kind, name in first.keys() & then.keys():
        for key in first[kind, name].keys() & then[kind, name].keys():
            assert f"# {kind} {name} {key}" in text
