"""The shape of the code: sizes, and what import-linter cannot see."""

import ast
import tomllib
from pathlib import Path

import pytest

MODULE_LINES = 400
FUNCTION_LINES = 60
PURE = ("model", "standardize", "resolve", "unify", "segment", "analyze")
CLOCKS = {"now", "utcnow", "today"}
DOORS = {"open", "print", "input", "__import__", "eval", "exec"}
# Makes functions of its own trees, as an engine would; nothing from outside is in their text.
COMPILES = {"resolve/matching/compiled.py"}
READERS = {"urllib.request", "http.client", "socketserver", "importlib.resources"}

SOURCES = sorted((Path(__file__).resolve().parents[2] / "src" / "onefold").rglob("*.py"))
FOLDER = Path(__file__).resolve().parents[2] / "src" / "onefold"


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_and_functions_can_be_read_at_once(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.relative_to(FOLDER).parts[0] in PURE], ids=name_of
)
def test_what_computes_reads_no_clock_and_opens_nothing(path):
    called, imported = set(), set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            called.add(node.attr)
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    allowed = {"exec"} if name_of(path) in COMPILES else set()
    assert called & (CLOCKS | DOORS) - allowed == set()
    assert imported & READERS == set()


def test_every_folder_is_a_package(root):
    """A folder without `__init__.py` would be outside the import contracts."""
    folders = {path.parent for path in SOURCES}
    assert [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_part_has_its_place_in_the_import_contract(root):
    """Also those that only exist as an empty folder yet."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    )
    placed = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    parts = {path.relative_to(FOLDER).parts[0].removesuffix(".py") for path in SOURCES}
    assert parts - placed == {"__init__"}
