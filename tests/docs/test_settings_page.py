"""The page of settings is complete."""

import runpy

from onefold.config import catalogue


def test_the_page_of_settings_is_up_to_date(root):
    written = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(root / "scripts" / "settings-page"))["page"]()
    assert written == made, "run `make docs`"


def test_the_page_of_settings_names_each(root):
    page = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in catalogue() if f"| `{name}` |" not in page] == []
