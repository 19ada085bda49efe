"""Undoing a merge over the API: who may, and what is written down."""

from __future__ import annotations

from typing import Any

import httpx


def test_a_merge_is_undone_and_put_back(desk: Any) -> None:
    for user in ("u", "v"):
        desk.process({"type": "identify", "userId": user})
    desk.process({"type": "alias", "userId": "u", "previousId": "v"})
    editor, reader, admin = (
        {"authorization": f"Bearer {desk.key(role)}"} for role in ("editor", "reader", "admin")
    )

    async def ask(http: httpx.AsyncClient) -> None:
        page = (await http.get("/api/identity/merges?profile=user_id:v", headers=reader)).json()
        (merge,) = page["items"]
        path = f"/api/identity/merges/{merge['id']}"
        assert (await http.post(f"{path}/undo", headers=reader)).status_code == 403
        assert (await http.post(f"{path}/redo", headers=editor)).status_code == 409
        undone = await http.post(f"{path}/undo", headers=editor)
        assert undone.status_code == 202
        assert sorted(undone.json()["pairs"][0]) == ["user_id:u", "user_id:v"]
        audit = (await http.get("/api/audit?limit=1", headers=admin)).json()["items"][0]
        assert (audit["action"], audit["target"]) == ("identity.undo", merge["id"])
        unknown = await http.post("/api/identity/merges/1-999/undo", headers=editor)
        assert unknown.status_code == 404

    desk.run(ask)
