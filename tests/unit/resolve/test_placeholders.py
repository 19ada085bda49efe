"""What is filled in where there is none joins nobody; what may be somebody's own does."""

from __future__ import annotations

import pytest

from onefold.resolve.placeholders import is_placeholder


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "+8613800138000"),
        ("phone", "+8613800000000"),
        ("phone", "+8611111111111"),
        ("phone", "+12025550143"),
        ("email", "test@test.com"),
        ("email", "123456@qq.com"),
        ("email", "abc@abc.com"),
        ("email", "noreply@shop.example"),
        ("email", "do-not-reply@shop.example"),
        ("national_id", "111111111111111111"),
        ("crm_id", "12345678"),
        ("crm_id", "测试"),
        ("crm_id", "无"),
        ("crm_id", "N/A"),
        ("birth", "1900-01-01"),
        ("birth", "9999-12-31T00:00:00Z"),
        ("device_id", "11111111-1111-1111-1111-111111111111"),
    ],
)
def test_placeholders_are_nobodys(kind: str, value: str) -> None:
    assert is_placeholder(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "+8613812345678"),
        ("phone", "+4915112345678"),
        ("email", "a@b.example"),
        ("email", "li.wei@qq.com"),
        ("email", "ann@example.com"),
        ("email", "noreen@shop.example"),
        ("crm_id", "11111"),
        ("crm_id", "23456"),
        ("crm_id", "1990-01-02"),
        ("user_id", "1111111"),
        ("user_id", "test"),
        ("anonymous_id", "test"),
    ],
)
def test_what_may_be_somebodys_own_is_evidence(kind: str, value: str) -> None:
    assert not is_placeholder(kind, value)
