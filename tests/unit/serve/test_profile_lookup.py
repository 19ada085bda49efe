"""A plain look-up is answered by itself, and just as the management API would."""

from __future__ import annotations

from typing import Any

import pytest

PEOPLE = [
    {
        "type": "identify",
        "userId": "张伟/上海 50%",
        "messageId": "m1",
        "traits": {"email": "Wei@Example.com", "age": 41, "score": 0.25, "tags": ["a", {"b": 1}]},
    },
    {"type": "identify", "userId": "bob", "messageId": "m2", "traits": {"name": "Bob"}},
]


@pytest.mark.parametrize(
    "reference",
    [
        "user_id:bob",
        "email:wei@example.com",
        "user_id:%E5%BC%A0%E4%BC%9F%2F%E4%B8%8A%E6%B5%B7%2050%25",
    ],
)
def test_it_is_the_answer_of_the_management_api(desk: Any, reference: str) -> None:
    desk.process(*PEOPLE)

    plain = desk.get(f"/api/profiles/{reference}")
    by_the_api = desk.get(f"/api/profiles/{reference}?verbose=false")

    assert (plain.status_code, plain.content) == (200, by_the_api.content)
    assert dict(plain.headers) == dict(by_the_api.headers)


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/profiles/user_id:bob", None, 401),
        ("/api/profiles/user_id:bob", "nobody:secret", 401),
        ("/api/profiles/user_id:carl", "", 404),
        ("/api/profiles/user_id:%FF", "", 400),
        ("/api/profiles/", "", 404),
        ("/api/profiles/bob", "", 400),
    ],
)
def test_what_cannot_be_answered_is_refused_in_full(
    desk: Any, path: str, key: str | None, status: int
) -> None:
    desk.process(*PEOPLE)

    refused = desk.get(path, key=key)

    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["message"]
