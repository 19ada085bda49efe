"""Health, status and metrics."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families


def test_health_needs_no_key_and_names_every_part(desk: Any) -> None:
    found = desk.get("/health", key=None)

    parts = {one["name"]: one["state"] for one in found.json()["checks"]}
    assert found.status_code == 200
    assert {"disk", "store", "worker", "jobs", "log", "lake"} <= parts.keys()
    assert (parts["store"], parts["worker"]) == ("ok", "degraded")
    assert found.json()["state"] == "degraded"


def test_health_fails_where_events_would_be_refused(desk: Any) -> None:
    import msgspec

    desk.settings = msgspec.structs.replace(desk.settings, min_free_disk=1 << 60)

    assert desk.get("/health", key=None).status_code == 503
    assert desk.get("/api/status").status_code == 200


def test_metrics_can_be_read_by_prometheus(desk: Any) -> None:
    desk.call("PUT", "/api/segments/vip", content=b"""{"rule": "city = 'Dali'"}""")
    desk.process({"type": "identify", "userId": "u", "traits": {"city": "Dali"}})

    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(desk.get("/metrics").text)
        for sample in family.samples
    }

    assert values["onefold_events_total",] == 1
    assert values["onefold_profiles",] == 1
    assert values["onefold_segment_members", "vip"] == 1
    assert values["onefold_check_state", "worker"] == 0
    assert values["onefold_step_seconds_total", "write"] > 0
    assert "vip" not in desk.get("/metrics", key=None).text


def test_requests_and_accepted_events_are_counted(desk: Any) -> None:
    async def ask(http: Any) -> str:
        batch = {"batch": [{"type": "track"}] * 3, "writeKey": desk.write_key}
        await http.post("/v1/batch", json=batch)
        await http.get("/api/sources")
        return (await http.get("/metrics")).text

    said = desk.run(ask)

    assert "onefold_accepted_events_total 3\n" in said
    assert 'onefold_requests_total{api="tracking",status="200"} 1\n' in said
    assert 'onefold_requests_total{api="api",status="401"} 1\n' in said
