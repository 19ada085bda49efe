"""The examples of the page about segments are what the commands say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.questions.audiences import PreviewQuestion
from onefold.config import Settings
from onefold.serve.api.doors import read
from tests.acceptance.conftest import Stepped

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "segments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ onefold (.*?)\n(.*?)```", PAGE, re.DOTALL)
BOUGHT = {"ann": (2, 3, 3), "bo": (1, 4), "cem": (2,), "dan": ()}
LIVES = {"ann": "Shanghai", "bo": "Beijing", "cem": "Berlin", "dan": "Beijing"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    settings = Settings(data=tmp_path_factory.mktemp("page") / "data", min_free_disk=0)
    make_workspace(settings)
    stepped = Stepped(settings)
    (definition,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    put(stepped.store, read_text(definition), "test")
    for user, days in BOUGHT.items():
        country = "DE" if user == "cem" else "CN"
        stepped.take(
            {
                "type": "identify",
                "userId": user,
                "messageId": user,
                "timestamp": "2025-12-01T10:00:00Z",
                "traits": {"country": country, "city": LIVES[user], "orders": len(days)},
            },
            *(
                {
                    "type": "track",
                    "event": "Order Completed",
                    "userId": user,
                    "messageId": f"{user}-{number}",
                    "timestamp": f"2026-01-0{day}T10:00:00Z",
                }
                for number, day in enumerate(days, 1)
            ),
        )
    stepped.take(
        {"type": "track", "event": "Email Opened", "userId": "ann", "messageId": "opened"},
        {
            "type": "track",
            "event": "Order Returned",
            "userId": "ann",
            "messageId": "returned",
            "timestamp": "2026-01-05T10:00:00Z",
        },
    )
    yield settings.data
    stepped.close()


def plain(text: str) -> list[str]:
    """Without the ids and the moments that differ from run to run; a list in any order."""
    text = re.sub(r"\b0[0-9a-z]{12}\b", "PROFILE", text)
    return sorted(re.sub(r"(member since) .*", r"\1", line).rstrip() for line in text.splitlines())


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[one[0][:20] for one in EXAMPLES])
def test_a_command_says_what_the_page_shows(data: Path, command: str, shown: str) -> None:
    line = [sys.executable, "-P", "-m", "onefold", *shlex.split(command), "--data", str(data)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    answer = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert plain(answer.stdout) == plain(shown), answer.stdout


def test_the_body_of_a_preview_can_be_sent() -> None:
    (body,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    asked = read(msgspec.json.encode(msgspec.json.decode(body)), PreviewQuestion)
    assert asked.by == ("city",)
