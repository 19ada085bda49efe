"""The repository works anywhere: no file names a package index, or a place on somebody's machine."""

import re

# Written in parts, so that this file does not find itself.
INDEXES = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "npmmirror" + ".com",
)
INDEXES += ("registry.yarnpkg" + ".com", "proxy.golang" + ".org", "deb.debian" + ".org")
PLACES = (
    r"(?<![\w.:/-])/(?:" + "|".join(["work", "root", "home/[a-z]+", "Users/[a-z]+"]) + r")/[\w.]"
)
BANNED = re.compile("|".join([*map(re.escape, INDEXES), PLACES]))


def test_no_file_names_a_package_index_or_a_place_on_a_machine(tracked, root):
    found = []
    for path in tracked:
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if BANNED.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()[:120]}")
    assert found == []


def test_the_lock_holds_one_version_for_each_package(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9.-]+==[\w.!+]+", pin)] == []
    names = [pin.partition("==")[0] for pin in pins]
    assert names == sorted(set(names))


def test_the_lock_covers_what_the_project_asks_for(root):
    locked = set(
        re.findall(r"^([a-z0-9.-]+)==", (root / "constraints.txt").read_text("utf-8"), re.M)
    )
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    asked = set(re.findall(r'^  "([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?[<>=~]', project, re.M))
    assert asked - locked == set()
