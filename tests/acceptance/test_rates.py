"""Rates that are handed in, and what records become by them, at once and once they are there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from onefold.app.imports.importing import import_file
from onefold.app.imports.rehearsing import rehearse
from onefold.app.imports.wanted import Wanted
from onefold.app.profiles.history import profile_events
from onefold.app.rates import rates_list, rates_load, read_rates
from onefold.app.rejects import reject_replay
from onefold.model.errors import InvalidInput
from tests.acceptance.conftest import Stepped

SHOP = """
kind: source
name: shop
type: csv
mapping:
  event: Order Completed
  time: at
  id: order
  identifiers: {user_id: who}
  properties: {revenue: {from: sum, money: {currency: cur, to: EUR}}}
---
kind: tracking_plan
name: small
event: Order Completed
mode: flag
schema: {properties: {revenue: {minimum: 10}}}
---
kind: trait
name: spent
expression: sum_of('Order Completed', properties.revenue)
"""
ORDERS = "order,who,sum,cur,at\n1,ann,100,USD,2026-01-30\n2,ann,80,GBP,2026-01-30\n3,ann,5,EUR,2026-01-02\n"


def test_an_order_waits_as_a_reject_until_its_rate_is_there(
    onefold: Stepped, tmp_path: Path
) -> None:
    onefold.define(SHOP)
    (orders := tmp_path / "orders.csv").write_text(ORDERS)
    (rates := tmp_path / "rates.csv").write_text("Date,USD,GBP,\n2026-01-30,1.25,0.8,\n")

    tried = rehearse(onefold.settings, Wanted(orders, "shop"))
    assert (tried.events, tried.rejects) == (1, 2)
    assert tried.violations == {"small: revenue, minimum (flag)": 1}
    import_file(onefold.settings, Wanted(orders, "shop"), wait=False)
    onefold.settle()
    assert spent(onefold) == [5]

    rates_load(onefold.settings, rates)
    assert [(one.base, one.days, one.rates) for one in rates_list(onefold.settings)] == [
        ("EUR", 1, {"USD": 1.25, "GBP": 0.8})
    ]
    assert reject_replay(onefold.settings).count == 2
    onefold.settle()

    assert sorted(spent(onefold)) == [5, 80, 100]
    assert rehearse(onefold.settings, Wanted(orders, "shop")).rejects == 0


def spent(onefold: Stepped) -> list[float]:
    found = profile_events(onefold.settings, "user_id:ann", 10, "").items
    return [msgspec.json.decode(msgspec.json.encode(one))["properties"]["revenue"] for one in found]


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\rIHDR\x00",
        b'Date,USD\n"' + b"x" * 200_000,
        b"<Cube",
        b"PK\x03\x04",
        b"",
    ],
)
def test_what_holds_no_rates_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_rates(data)


def test_lines_may_end_as_on_old_machines() -> None:
    [one] = read_rates(b"Date,USD\r2026-01-30,1.25\r")
    assert one.rates == {"USD": 1.25}
