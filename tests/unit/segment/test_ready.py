"""Ready-made tags: what they stand for."""

from itertools import product

import pytest

from onefold.model.definitions import Lifecycle, Preference, ProductPreference, TagDefinition
from onefold.segment.ready import RFM_GROUPS, product_expression, ready_cases, tag_values
from onefold.testing.rules import Happened, Moment, evaluate, holds, parsed

DAY = 86_400_000_000
NOW = 20_000 * DAY + DAY // 2


def value(tag: TagDefinition, *events: tuple[str, int]) -> str | None:
    """The value that the reference gives, of events so many days ago."""
    happened = [
        Happened(name, NOW - days * DAY, f"m{number}", {}, {})
        for number, (name, days) in enumerate(events)
    ]
    moment = Moment({}, happened, NOW, "UTC")
    return next((case.value for case in ready_cases(tag) if holds(case.when, moment)), None)


def test_the_groups_of_rfm_hold_each_pair_of_scores_once() -> None:
    assert len(RFM_GROUPS) == 11
    for recency, both in product(range(1, 6), repeat=2):
        found = [
            name
            for name, ((low, high), (least, most)) in RFM_GROUPS.items()
            if low <= recency <= high and least <= both <= most
        ]
        assert len(found) == 1, (recency, both, found)


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        ((3,), "new"),
        ((3, 50), "active"),
        ((3, 400), "won back"),
        ((3, 5, 400), "won back"),
        ((60,), "at risk"),
        ((120, 300), "dormant"),
        ((200,), "lost"),
        ((), None),
    ],
)
def test_stages_of_a_life(days: tuple[int, ...], stage: str | None) -> None:
    tag = TagDefinition("stage", lifecycle=Lifecycle())
    assert value(tag, *(("Order Completed", one) for one in days)) == stage
    assert tag_values(tag) == ("new", "won back", "active", "at risk", "dormant", "lost")


def test_the_channel_with_the_most_answers() -> None:
    channels = {"email": ("Email Opened", "Email Clicked"), "sms": ("SMS Clicked",)}
    tag = TagDefinition("channel", preference=Preference(channels))
    assert value(tag) is None
    assert value(tag, ("SMS Clicked", 1)) == "sms"
    assert value(tag, ("SMS Clicked", 1), ("Email Opened", 2), ("Email Clicked", 2)) == "email"
    # As many: the one that is named first. What is too long ago does not count.
    assert value(tag, ("SMS Clicked", 1), ("Email Opened", 2)) == "email"
    assert value(tag, ("SMS Clicked", 1), ("Email Opened", 200)) == "sms"


def favorite(about: ProductPreference, *orders: tuple[int, list[str]]) -> str | None:
    """What the reference gives, of orders so many days ago, of things of these categories."""
    happened = [
        Happened(
            "Order Completed",
            NOW - days * DAY,
            f"m{number}",
            {"products": [{"category": one} for one in categories]},
            {},
        )
        for number, (days, categories) in enumerate(orders)
    ]
    text = product_expression(about)
    return evaluate(parsed(text, {}), Moment({}, happened, NOW, "UTC"), "text")


def test_the_product_that_is_bought_most() -> None:
    bought = (1, ["Shoes", "Hats"]), (2, ["Shoes"]), (200, ["Hats", "Hats"])
    assert favorite(ProductPreference(), *bought) == "Shoes"
    assert favorite(ProductPreference(days=300), *bought) == "Hats"
    assert favorite(ProductPreference(among=("Hats", "Ties")), *bought) == "Hats"
    # Too few orders, or none of what counts: what the definition falls back on, or nothing.
    assert favorite(ProductPreference(least=3), *bought) is None
    assert favorite(ProductPreference(least=3, otherwise="mixed"), *bought) == "mixed"
    assert favorite(ProductPreference(among=("Ties",), otherwise="none"), *bought) == "none"
    assert favorite(ProductPreference(otherwise="none")) == "none"
    # What is bought alone is not a list; with a name that needs quotes.
    assert favorite(ProductPreference(property='"shop name"'), *bought) is None


def test_the_values_of_a_product_preference_are_a_closed_list_where_they_are_named() -> None:
    named = ProductPreference(among=("Shoes", "Hats"), otherwise="none")
    tag = TagDefinition("favorite", product_preference=named)
    assert tag_values(tag) == ("Shoes", "Hats", "none")
    assert tag_values(TagDefinition("favorite", product_preference=ProductPreference())) == ()
