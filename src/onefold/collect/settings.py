"""The settings that browser clients fetch before they send anything."""

from __future__ import annotations

from typing import Any

from onefold.model.sources import Source


def segment_settings(source: Source, key: str, base_url: str) -> dict[str, Any]:
    """The answer of `/v1/projects/{writeKey}/settings`.

    It names this server as the place to send to, so a client that was told only where
    its settings are does not send to somebody else's.
    """
    protocol, _, host = base_url.partition("://")
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host}/v1",
                "protocol": protocol,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
        "enabled": source.enabled,
    }


def rudder_settings(source: Source, key: str) -> dict[str, Any]:
    """The answer of `/sourceConfig`: no destinations in the client, they are all in here."""
    statistics = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return {
        "source": {
            "id": source.id,
            "name": source.name,
            "writeKey": key,
            "enabled": source.enabled,
            "config": {"statsCollection": statistics},
            "destinations": [],
            "connections": [],
            "workspaceId": "onefold",
        }
    }
