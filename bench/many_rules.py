"""A thousand segments and five hundred computed traits, as marketing departments write them.

Three in four rules count what others count too, over other windows and with other thresholds; the
fourth has a condition on the events' properties that nobody else has. The same number gives the same
rules.
"""

from __future__ import annotations

from random import Random

import yaml

EVENTS = (
    *("Product Viewed",) * 5,
    *("Product Added",) * 4,
    *("Order Completed",) * 5,
    *("Email Opened",) * 3,
    "Product Clicked",
    "Cart Viewed",
    "Checkout Started",
    "Product Shared",
    "Coupon Applied",
    "Order Refunded",
    "Product Reviewed",
    "Signed In",
    "Support Call",
    "Article Read",
    "Video Watched",
    "Store Visited",
    "Searched",
)
CATEGORIES = ("Tea", "Kitchen", "Books", "Home", "Sports", "Beauty", "Outdoor", "Electronics")
COUNTRIES = ("CN", "DE", "FR", "US", "JP", "GB")
DAYS = (1, 3, 7, 14, 30, 60, 90)
VALUES = {"Order Completed": "properties.revenue"}


def segment_rules(count: int, seed: int = 1) -> list[str]:
    """So many rules of segments."""
    draw = Random(seed)
    return [_rule(draw) for _ in range(count)]


def trait_expressions(count: int, seed: int = 2) -> list[str]:
    """So many expressions of computed traits."""
    draw = Random(seed)
    return [_trait(draw) for _ in range(count)]


def definitions(segments: int, traits: int = 0) -> str:
    """Both as YAML documents."""
    documents = [
        {"kind": "segment", "name": f"segment_{number:04d}", "rule": rule}
        for number, rule in enumerate(segment_rules(segments))
    ] + [
        {"kind": "trait", "name": f"trait_{number:03d}", "expression": expression}
        for number, expression in enumerate(trait_expressions(traits))
    ]
    return yaml.safe_dump_all(documents, sort_keys=False, width=1000)


def _rule(draw: Random) -> str:
    parts = [_behavior(draw)]
    if draw.random() < 0.4:
        parts.append(_behavior(draw))
    if draw.random() < 0.5:
        parts.append(_who(draw))
    if draw.random() < 0.25:
        days = draw.choice(DAYS)
        parts.append(f"not did('{draw.choice(EVENTS)}', last => interval {days} day)")
    return " and ".join(parts)


def _behavior(draw: Random) -> str:
    event, days = draw.choice(EVENTS), draw.choice(DAYS)
    value = VALUES.get(event, "properties.price")
    condition = _condition(draw, event)
    window = f"last => interval {days} day{condition}"
    kind = draw.random()
    if kind < 0.6:
        return f"count_of('{event}', {window}) >= {draw.randint(1, 12)}"
    if kind < 0.8:
        return f"did('{event}', {window})"
    if kind < 0.95:
        return f"sum_of('{event}', {value}, {window}) > {draw.randint(1, 40) * 100}"
    return f"max_of('{event}', {value}, {window}) > {draw.randint(1, 20) * 100}"


def _condition(draw: Random, event: str) -> str:
    if draw.random() < 0.75:
        if draw.random() < 0.6:
            return ""
        return f", where => properties.category = '{draw.choice(CATEGORIES)}'"
    value = VALUES.get(event, "properties.price")
    return (
        f", where => {value} > {draw.randint(1, 3000)} "
        f"and context.locale = '{draw.choice(('zh-CN', 'de-DE'))}'"
    )


def _who(draw: Random) -> str:
    kind = draw.random()
    if kind < 0.6:
        return f"country = '{draw.choice(COUNTRIES)}'"
    if kind < 0.8:
        return f"gender = '{draw.choice(('female', 'male'))}'"
    return "email is not null"


def _trait(draw: Random) -> str:
    event, days = draw.choice(EVENTS), draw.choice(DAYS)
    value = VALUES.get(event, "properties.price")
    window = f"last => interval {days} day{_condition(draw, event)}"
    kind = draw.random()
    if kind < 0.5:
        return f"count_of('{event}', {window})"
    if kind < 0.8:
        return f"sum_of('{event}', {value}, {window})"
    if kind < 0.9:
        return f"last_of('{event}', properties.category, {window})"
    return f"avg_of('{event}', {value}, {window})"
