"""The page of webhooks names every setting, and its examples are what is really read and sent."""

import json
import re
from pathlib import Path

import pytest
import yaml

from onefold.activate import destination_from
from onefold.activate.webhook import alarm_payload, membership_payload, secret_text
from onefold.activate.webhook_settings import KNOWN, NUMBERS, text_faults
from onefold.model.definitions import DESTINATION_EVENTS, DestinationDefinition
from onefold.model.profile import parse_profile_name
from onefold.model.records import Identifier

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_setting_is_described(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_defaults_and_limits_are_named(name: str) -> None:
    default, smallest, largest = NUMBERS[name]
    (row,) = re.findall(rf"^\| `{name}` .*$", PAGE, re.MULTILINE)
    assert f"{smallest:g} to {largest:.0f} | {default:g} |" in row


def test_the_definition_can_be_used() -> None:
    written = yaml.safe_load(example("yaml"))
    own = {key: written[key] for key in ("url", "secret")}
    assert list(text_faults(own)) == []
    revealed = {**own, "secret": secret_text(bytes(32))}
    definition = DestinationDefinition(written["name"], written["type"], revealed)
    assert destination_from(definition).name == "crm"


def test_each_event_is_named() -> None:
    assert [one for one in DESTINATION_EVENTS if one not in PAGE] == []


def test_an_alarm_is_what_is_sent() -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    at = 1_769_846_400_123_456
    sent = alarm_payload(
        source="crm",
        event="source.alarm",
        at=at,
        reason=shown["data"]["reason"],
        failures=3,
        since=at - 2 * 3_600_000_000,
    )
    assert json.loads(sent) == shown


def test_the_payload_is_what_is_sent() -> None:
    shown = json.loads(example("json"))
    profile = parse_profile_name(shown["data"]["profile"]["id"])
    assert profile is not None
    at = 1_769_846_400_123_456
    sent = membership_payload(
        segment="loyal-customers",
        entered=True,
        at=at,
        since=at,
        profile=profile,
        identifiers=[Identifier("email", "wei@example.com")],
        traits={"country": "CN"},
    )
    assert json.loads(sent) == shown
