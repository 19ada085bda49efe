"""The pages about what others push, and about tracking plans: their definitions can be put in force."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from onefold.app.definitions.checks import faults_of
from onefold.app.pushing import pushing_faults
from onefold.collect.soap.types import OPERATIONS
from onefold.collect.webhooks.settings import Signature, WebhookSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "webhooks-in.md").read_text()
PAGES = {"webhooks-in.md": PAGE, "tracking-plans.md": (DOCS / "tracking-plans.md").read_text()}
WRITTEN = [
    (page, value)
    for page, text in PAGES.items()
    for block in re.findall(r"```yaml\n(.*?)```", text, re.S)
    for value in yaml.safe_load_all(block)
]


@pytest.mark.parametrize(("page", "written"), WRITTEN)
def test_what_is_written_can_be_applied(page, written):
    body = {key: value for key, value in written.items() if key not in ("kind", "name")}
    if "kind" in written:
        assert list(faults_of(written["kind"], body)) == []
    else:
        assert list(pushing_faults("webhook", written)) == []


def test_every_signature_and_setting_stands_there():
    assert [one for one in get_args(Signature) if f"| `{one}`" not in PAGE] == []
    assert [one for one in WebhookSettings.__struct_fields__ if f"`{one}" not in PAGE] == []


def test_every_operation_stands_there():
    assert [one for one in OPERATIONS if f"| `{one}` |" not in PAGE] == []
