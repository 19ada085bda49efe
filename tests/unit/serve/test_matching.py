"""Records are matched over the API: what is asked wrongly is told, and nothing is changed."""

from __future__ import annotations

from typing import Any

import httpx


def test_without_a_model_nobody_is_matched(desk: Any) -> None:
    reader = {"authorization": f"Bearer {desk.key('reader')}"}

    async def ask(http: httpx.AsyncClient) -> list[httpx.Response]:
        ann = {"first_name": "Ann"}
        bodies = [
            ("score", {"left": ann, "right": ann}),
            ("candidates", {"record": ann}),
            ("candidates", {"record": ann, "limit": 0}),
            ("score", {"left": ann, "right": 7}),
        ]
        return [
            await http.post(f"/api/match/{path}", json=body, headers=reader)
            for path, body in bodies
        ]

    answers = desk.run(ask)
    assert [one.status_code for one in answers] == [404, 404, 400, 400]
    assert "no match model is in force" in answers[0].json()["message"]
