"""The management API: profiles, segments, definitions, keys, SQL, health."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from onefold.serve.api.access import ACCESS
from onefold.serve.api.accounts import ACCOUNTS
from onefold.serve.api.audiences import AUDIENCES
from onefold.serve.api.clustering import CLUSTERING
from onefold.serve.api.collections import COLLECTIONS
from onefold.serve.api.correcting import CORRECTING
from onefold.serve.api.definitions import DEFINITIONS
from onefold.serve.api.document import configuration
from onefold.serve.api.doors import actor
from onefold.serve.api.exchange import EXCHANGE
from onefold.serve.api.failures import FAILURES
from onefold.serve.api.faults import EXCEPTION_HANDLERS
from onefold.serve.api.files import asset, status_page
from onefold.serve.api.golden import GOLDEN
from onefold.serve.api.health import health, metrics, show_status
from onefold.serve.api.households import HOUSEHOLDS
from onefold.serve.api.identity import IDENTITY
from onefold.serve.api.jobs import JOBS
from onefold.serve.api.matching import MATCHING
from onefold.serve.api.people import PEOPLE
from onefold.serve.api.profiles import PROFILES
from onefold.serve.api.pulling import PULLING
from onefold.serve.api.segments import SEGMENTS
from onefold.serve.api.sql import sql
from onefold.serve.api.stream import stream
from onefold.serve.api.suggesting import SUGGESTING
from onefold.serve.api.tagging import TAGGING
from onefold.serve.api.tracking import TRACKING
from onefold.serve.context import Context

__all__ = ["create_api"]


def create_api(context: Context) -> Litestar:
    """The management API of one web process, as an ASGI application."""
    return Litestar(
        route_handlers=[
            PROFILES,
            CORRECTING,
            *GOLDEN,
            ACCOUNTS,
            HOUSEHOLDS,
            SEGMENTS,
            AUDIENCES,
            IDENTITY,
            MATCHING,
            DEFINITIONS,
            *COLLECTIONS,
            *TAGGING,
            TRACKING,
            EXCHANGE,
            SUGGESTING,
            JOBS,
            FAILURES,
            PEOPLE,
            CLUSTERING,
            ACCESS,
            *PULLING,
            sql,
            stream,
            health,
            show_status,
            metrics,
            status_page,
            asset,
        ],
        dependencies={
            "context": Provide(lambda: context, sync_to_thread=False),
            "actor": Provide(actor, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"context": context}),
        openapi_config=configuration(),
        logging_config=None,
    )
