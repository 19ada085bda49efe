"""Saying by hand who belongs to an account: claims that go through the log like everything else."""

from __future__ import annotations

import uuid

from onefold.app.groups.account_answers import Belonging
from onefold.app.profiles.finding import find
from onefold.app.profiles.given import append_claims, named
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.given import ACCOUNT, GivenClaim
from onefold.model.profile import belongs_to, identifier_text
from onefold.model.records import Identifier

MOST_LETTERS = 1_000


def account_add(
    settings: Settings, account: str, reference: str, *, actor: str = "cli"
) -> Belonging:
    """Say that somebody belongs to an account; who is not known yet does as soon as they are."""
    with open_store(settings, cache_mb=4) as store:
        _check(store.accounts.documents([account]), account)
        identifier = named(store, reference, settings.default_country)
    return _say(settings, account, [identifier], True, actor)


def account_remove(
    settings: Settings, account: str, reference: str, *, actor: str = "cli"
) -> Belonging:
    """Say that somebody belongs to an account no more, until a source says so again."""
    with open_store(settings, cache_mb=4) as store:
        profile = find(store, reference, settings.default_country)
        identifiers = [
            Identifier(node.kind, node.value) for node in profile.nodes if belongs_to(node, account)
        ]
    if not identifiers:
        raise NotFound(f"{reference} does not belong to {account}")
    return _say(settings, account, identifiers, False, actor)


def _check(known: dict[str, bytes], account: str) -> None:
    if account not in known:
        hint = "a `group` call makes it, with its traits"
        raise InvalidInput(
            "nobody can be added", [Fault(f"there is no {account}", "account", hint)]
        )


def _say(
    settings: Settings, account: str, identifiers: list[Identifier], belongs: bool, actor: str
) -> Belonging:
    now = now_us()
    claims = [
        GivenClaim(
            f"account-{uuid.uuid4().hex}", now, *one, {f"{ACCOUNT}{account}": belongs}, actor
        )
        for one in identifiers
    ]
    texts = tuple(identifier_text(one) for one in identifiers)
    with open_store(settings, cache_mb=4) as store:
        append_claims(settings, store, claims, now)
        detail = {"account": account, "identifiers": list(texts)}
        what = "account.add" if belongs else "account.remove"
        store.registry.audit(now, actor, what, account, detail)
    return Belonging(account, texts, belongs, now)
