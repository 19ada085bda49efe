"""Long work over HTTP."""

from __future__ import annotations

from typing import Any


def test_work_is_asked_for_done_and_looked_at(desk: Any) -> None:
    desk.process({"type": "track", "event": "Seen", "userId": "u"})
    asked = desk.post("/api/jobs", {"kind": "rebuild-check"})
    done = desk.finished(asked.json()["id"])

    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    assert (done["state"], done["result"]["events"], done["created_by"]) == ("done", 1, "admin")
    listed = desk.get("/api/jobs").json()["items"]
    assert [one["kind"] for one in listed] == ["rebuild-check"]
    assert desk.get("/api/jobs?open_only").json()["items"] == []


def test_work_is_canceled(desk: Any) -> None:
    job = desk.post("/api/jobs", {"kind": "rebuild"}).json()["id"]
    canceled = desk.post(f"/api/jobs/{job}/cancel")
    again = desk.post(f"/api/jobs/{job}/cancel")

    assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")
    assert (again.status_code, desk.post("/api/jobs/99/cancel").status_code) == (409, 404)
    assert desk.post("/api/jobs", {"kind": "nonsense"}).status_code == 400
    assert desk.post("/api/jobs", {"kind": "rebuild"}, key=desk.key("editor")).status_code == 403
