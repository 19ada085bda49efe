"""Links in the docs lead somewhere."""

import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.M)


def prose(path):
    """The text of a page without its code."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The anchors that headings get when a page is shown."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for heading in HEADING.findall(text):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def test_links_between_pages_resolve(tracked, root):
    broken = []
    for page in (path for path in tracked if path.suffix == ".md"):
        for target in LINK.findall(prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            place, _, anchor = target.partition("#")
            aim = (page.parent / place).resolve() if place else page
            if not aim.exists() or (anchor and anchor not in anchors(aim)):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def test_every_page_can_be_found_from_the_index(root):
    index = root / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(prose(index))}
    pages = {path.resolve() for path in (root / "docs").rglob("*.md")} - {index.resolve()}
    assert sorted(path.name for path in pages - linked) == []
