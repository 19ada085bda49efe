"""Questions to the lake. The query engine weighs 50 MB, so the first question loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from onefold.app.answers import ChangePage, EventPage, LinkPage
from onefold.app.groups.account_answers import (
    AccountClaims,
    AccountHistory,
    AccountPage,
    AccountView,
    MemberPage,
)
from onefold.app.groups.household_answers import (
    Household,
    HouseholdHistory,
    HouseholdPage,
    LiveTogether,
    Together,
)
from onefold.app.identity.decisions import WhyIdentity
from onefold.app.identity.merge_answers import MergePage, Undone
from onefold.app.identity.planning import Planned
from onefold.app.identity.rule_answers import Rivals, RuleComparison
from onefold.app.imports.rehearsed import Rehearsed
from onefold.app.imports.suggested import SuggestedFor
from onefold.app.matching.answers import MatchCandidates, MatchWhy
from onefold.app.matching.clustering_answers import ClusteredRecords
from onefold.app.people.answers import Extracted, Merge, Merged, Records, Standardized
from onefold.app.profiles.finding import ProfileView
from onefold.app.profiles.golden_answers import ProfileClaims, ProfileQuality, QualityReport
from onefold.app.profiles.uploads import Spool
from onefold.app.tags.answers import TagHealth
from onefold.app.tracking_plans import Draft
from onefold.config import Settings
from onefold.model.job import Job


def events(settings: Settings, reference: str, limit: int, cursor: str) -> EventPage:
    """The events of a profile."""
    from onefold.app.profiles.history import profile_events

    return profile_events(settings, reference, limit, cursor)


def changes(settings: Settings, reference: str, limit: int, cursor: str) -> ChangePage:
    """The history of a profile."""
    from onefold.app.profiles.history import profile_changes

    return profile_changes(settings, reference, limit, cursor)


def links(settings: Settings, reference: str, limit: int, cursor: str) -> LinkPage:
    """The evidence about a profile."""
    from onefold.app.profiles.history import profile_links

    return profile_links(settings, reference, limit, cursor)


def profile_claims(settings: Settings, reference: str, trait: str) -> ProfileClaims:
    """What is claimed of a profile's traits."""
    from onefold.app.profiles.claims import profile_claims as look

    return look(settings, reference, trait)


def profile_in_full(settings: Settings, reference: str) -> ProfileView:
    """A profile with the origin of its traits."""
    from onefold.app.profiles.claims import profile_in_full as look

    return look(settings, reference)


def profile_as_of(settings: Settings, reference: str, at: int) -> ProfileView:
    """A profile as it was."""
    from onefold.app.profiles.lookback import profile_as_of as look_back

    return look_back(settings, reference, at)


def identity_why(settings: Settings, left: str, right: str) -> WhyIdentity:
    """Why two identifiers are one person, or are not."""
    from onefold.app.identity.why import identity_why as why

    return why(settings, left, right)


def merges(settings: Settings, reference: str, limit: int, before: str) -> MergePage:
    """Merges of the past."""
    from onefold.app.identity.undoing import merges as look

    return look(settings, reference, limit, before)


def merge_undo(settings: Settings, merge: str, *, back: bool, actor: str) -> Undone:
    """Undo a merge, or take that back."""
    from onefold.app.identity.undoing import merge_redo, merge_undo

    return (merge_redo if back else merge_undo)(settings, merge, actor=actor)


def tag_health(settings: Settings, name: str) -> TagHealth:
    """How a tag is doing."""
    from onefold.app.tags.health import tag_health as look

    return look(settings, name)


def quality(settings: Settings) -> QualityReport:
    """The last report of how good what is known is."""
    from onefold.app.profiles.quality import quality_last

    return quality_last(settings)


def profile_quality(settings: Settings, reference: str) -> ProfileQuality:
    """How good what is known of a profile is."""
    from onefold.app.profiles.quality import profile_quality as look

    return look(settings, reference)


def account_as_of(settings: Settings, name: str, at: int) -> AccountView:
    """One account as of a time."""
    from onefold.app.groups.accounts import account_as_of as look

    return look(settings, name, at)


def account_claims(settings: Settings, name: str, trait: str) -> AccountClaims:
    """Why an account's traits are what they are."""
    from onefold.app.groups.accounts import account_claims as look

    return look(settings, name, trait)


def account_history(settings: Settings, name: str, limit: int, cursor: int) -> AccountHistory:
    """How an account's golden traits changed."""
    from onefold.app.groups.accounts import account_history as look

    return look(settings, name, limit, cursor)


def account(settings: Settings, name: str) -> AccountView:
    """One account."""
    from onefold.app.groups.accounts import account as look

    return look(settings, name)


def account_list(settings: Settings, limit: int, cursor: str) -> AccountPage:
    """All accounts."""
    from onefold.app.groups.accounts import account_list as look

    return look(settings, limit, cursor)


def account_members(settings: Settings, name: str, limit: int, cursor: str) -> MemberPage:
    """Who belongs to an account."""
    from onefold.app.groups.accounts import account_members as look

    return look(settings, name, limit, cursor)


def household(settings: Settings, reference: str) -> Household:
    """The household of somebody."""
    from onefold.app.groups.households import household as look

    return look(settings, reference)


def household_as_of(settings: Settings, reference: str, at: int) -> Household:
    """The household of somebody as of a time."""
    from onefold.app.groups.households_past import household_as_of as look_back

    return look_back(settings, reference, at)


def household_history(
    settings: Settings, reference: str, limit: int, cursor: str
) -> HouseholdHistory:
    """Who came to live together."""
    from onefold.app.groups.households_past import household_history as look

    return look(settings, reference, limit, cursor)


def household_list(settings: Settings, limit: int, cursor: str) -> HouseholdPage:
    """All households."""
    from onefold.app.groups.households import household_list as look

    return look(settings, limit, cursor)


def household_say(
    settings: Settings, left: str, right: str, together: Together, *, actor: str
) -> LiveTogether:
    """Say whether two people live together."""
    from onefold.app.groups.households import household_say as say

    return say(settings, left, right, together, actor=actor)


def match_score(
    settings: Settings, left: Mapping[str, Any], right: Mapping[str, Any], model: str
) -> MatchWhy:
    """How much two records are alike."""
    from onefold.app.matching.asking import match_score as look

    return look(settings, left, right, model)


def match_candidates(settings: Settings, record: Mapping[str, Any], limit: int) -> MatchCandidates:
    """Who may be the person that a record is about."""
    from onefold.app.matching.asking import match_candidates as look

    return look(settings, record, limit)


def compare_given(given: Rivals) -> RuleComparison:
    """What two sets of identity rules make of the same links."""
    from onefold.app.identity.rule_comparison import compare_given as compare

    return compare(given)


def standardize_records(given: Records) -> Standardized:
    """Records of people in standard columns."""
    from onefold.app.people.services import standardize_records as standardize

    return standardize(given)


def extract_identifiers(given: Records) -> Extracted:
    """The identifiers of records."""
    from onefold.app.people.services import extract_identifiers as extract

    return extract(given)


def cluster_records(settings: Settings, given: Records, model: str) -> ClusteredRecords:
    """The people in records."""
    from onefold.app.matching.clustering_services import cluster_records as cluster

    return cluster(settings, given, model)


def plan_written(settings: Settings, text: str, *, prune: bool) -> Planned:
    """What applying would change, and what changed identity rules would do."""
    from onefold.app.identity.planning import plan_written as planned

    return planned(settings, text, prune=prune)


def dedupe_upload(
    settings: Settings,
    spool: Spool,
    columns: Mapping[str, str],
    *,
    name: str,
    region: str | None,
    model: str,
    actor: str,
) -> Job:
    """Have a job find the people in a file."""
    from onefold.app.matching.clustering_services import dedupe_upload as upload

    return upload(settings, spool, columns, name=name, region=region, model=model, actor=actor)


def dedupe_file(settings: Settings, job: int, which: Literal["clusters", "golden"]) -> Path:
    """The file that such a job made."""
    from onefold.app.matching.clustering_services import dedupe_file as made

    return made(settings, job, which)


def merge_records(given: Merge) -> Merged:
    """Records of one person as one."""
    from onefold.app.people.services import merge_records as merge

    return merge(given)


def plan_draft(settings: Settings, event: str, *, kind: str, source: str, days: int) -> Draft:
    """A first draft of a tracking plan."""
    from onefold.app.questions.drafting import plan_draft as drafted

    return drafted(settings, event, kind=kind, source=source, days=days)


def rehearse_source(
    settings: Settings, name: str, sample: int, payload: bytes, stream: str, *, anew: bool
) -> Rehearsed:
    """What a source would bring."""
    from onefold.app.imports.source_rehearsing import rehearse_source as rehearse

    return rehearse(
        settings, name, sample=sample, anew=anew, payload=payload or None, stream=stream
    )


def suggest_mapping(
    settings: Settings, sample: bytes, name: str, source: str, form: str
) -> SuggestedFor:
    """A mapping that a file could have."""
    from onefold.app.imports.suggesting import suggest_upload

    return suggest_upload(settings, sample, name, source, form)
