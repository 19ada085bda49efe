"""A definition names its secrets and holds none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.app.access import make_workspace
from onefold.app.secret_values import Revealed, secret_set
from onefold.app.syncs.opening import pulling_faults
from onefold.app.workspace import open_store
from onefold.config import Settings

CRM = {"dialect": "postgresql", "host": "db", "database": "crm", "tables": [{"table": "people"}]}
API = {"base_url": "https://api.example.com", "streams": [{"name": "people", "path": "people"}]}
NAMED = {"secret": "crm"}


@pytest.mark.parametrize(
    ("kind", "settings", "where"),
    [
        ("sql", {**CRM, "password": "hunter2"}, "settings.password"),
        ("postgres-changes", {"url": "postgresql://me:hunter2@db/crm"}, "settings.url"),
        ("kafka", {"brokers": "k:9092", "topics": ["t"], "options": {"sasl.password": "hunter2"}}, "settings.options.sasl.password"),
        ("rest", {**API, "auth": {"type": "bearer", "token": "hunter2"}}, "settings.auth.token"),
        ("rest", {**API, "headers": {"X-Api-Key": "hunter2"}}, "settings.headers.X-Api-Key"),
        ("rest", {**API, "auth": {"type": "oauth2", "url": "u", "fields": {"refresh_token": "hunter2"}}}, "settings.auth.fields.refresh_token"),
        ("files", {"location": "sftp://h/*", "access": {"username": "me", "key": "-----BEGIN OPENSSH PRIVATE KEY-----"}}, "settings.access.key"),
        ("stripe", {"key": "hunter2"}, "settings.key"),
    ],
)  # fmt: skip
def test_a_secret_that_stands_in_a_definition_is_refused(
    kind: str, settings: dict[str, Any], where: str
) -> None:
    faults = pulling_faults(kind, {"settings": settings})
    assert [fault.where for fault in faults] == [where]
    assert "hunter2" not in str(faults)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("sql", {**CRM, "password": NAMED}),
        ("postgres-changes", {"url": "postgresql://me@db:5432/crm", "password": NAMED}),
        ("kafka", {"brokers": "k:9092", "topics": ["t"], "options": {"sasl.password": NAMED}}),
        ("rest", {**API, "auth": {"type": "key", "name": "X-Api-Key", "token": NAMED}}),
        ("rest", {**API, "failure": {"at": "code", "token": [401]}, "headers": {"Accept": "text/csv"}}),
        ("files", {"location": "s3://in/*", "access": {"key": "AKIA", "secret": NAMED}}),
        ("stripe", {"key": NAMED}),
        ("woocommerce", {"shop": "https://shop.example", "key": "ck", "secret": NAMED}),
    ],
)  # fmt: skip
def test_what_names_its_secrets_or_needs_none_is_taken(kind: str, settings: dict[str, Any]) -> None:
    assert pulling_faults(kind, {"settings": settings}) == []


def test_a_secret_is_hidden_however_a_reason_writes_it(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    make_workspace(settings)
    secret_set(settings, "crm", 'pä ss/"word')
    with open_store(settings, cache_mb=4) as store:
        revealed = Revealed(settings, store, {"password": NAMED})
    told = r"""at https://h/?key=p%C3%A4%20ss%2F%22word&k=p%C3%A4+ss%2F%22word: "pä ss/\"word", pä ss/"word"""
    assert revealed.hide(told) == ('at https://h/?key=(hidden)&k=(hidden): "(hidden)", (hidden)')
