"""What the shop sells, priced in every currency it takes."""

from __future__ import annotations

from typing import Any

from onefold.testing.shop.countries import COUNTRIES, Country

Product = dict[str, Any]

# category | brand | product: price in CNY
_SHELVES = """
Tea | Yunwu | 龙井绿茶 Longjing green tea: 168, 普洱茶饼 Pu'er tea cake: 299, 茉莉花茶 Jasmine tea: 89, \
铁观音 Tieguanyin: 218, 茶具套装 Tea set: 459
Outdoor | Northface Lane | Hiking boots: 899, Rain jacket: 749, Backpack 40 l: 529, Tent for two: 1299, \
Sleeping bag: 659, Trekking poles: 239
Kitchen | Hob & Wok | 铸铁炒锅 Cast-iron wok: 369, Rice cooker: 599, Chef's knife: 279, \
Coffee grinder: 429, 电热水壶 Electric kettle: 199, Espresso machine: 2899
Home | Lumen | Desk lamp: 259, Linen bedding: 689, Wool blanket: 399, Scented candle: 79, \
扫地机器人 Robot vacuum: 2199, Air purifier: 1599
Sports | Stride | Running shoes: 799, Yoga mat: 159, Badminton racket: 349, Swim goggles: 99, \
Smart watch: 1799, Water bottle: 69
Beauty | Haze | 面膜 Face mask: 129, Sun cream: 149, Lipstick: 189, Shampoo: 75, Perfume: 880
Books | Paper Boat | 三国演义 illustrated: 118, Learn Go in ten evenings: 68, Cook book: 98, \
Watercolor for children: 58, 世界地图 World atlas: 158
Electronics | Kite | Wireless earphones: 499, Power bank: 129, Mechanical keyboard: 649, \
E-reader: 1099, Action camera: 1999, Phone case: 49
"""


def _parse() -> tuple[tuple[str, str, str, float], ...]:
    rows = []
    for line in _SHELVES.strip().splitlines():
        category, brand, goods = (part.strip() for part in line.split("|"))
        for good in goods.split(", "):
            name, _, price = good.rpartition(": ")
            rows.append((category, brand, name.strip(), float(price)))
    return tuple(rows)


_GOODS = _parse()
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(row[0] for row in _GOODS))
COUPONS = ("WELCOME10", "SPRING", "双11", "VIP88", "FREESHIP")
AGENTS = ("Mei", "Jonas", "Aiko", "小陈", "Grace")


def _priced(country: Country) -> tuple[Product, ...]:
    digits = 0 if country.currency == "JPY" else 2
    return tuple(
        {
            "product_id": f"p{number:03d}",
            "sku": f"{category[:3].upper()}-{number:03d}",
            "name": name,
            "brand": brand,
            "category": category,
            "price": round(price * country.rate, digits),
            "currency": country.currency,
            "url": f"https://shop.example/{country.locale}/p/{number:03d}",
        }
        for number, (category, brand, name, price) in enumerate(_GOODS)
    )


_PRODUCTS = {country.code: _priced(country) for country in COUNTRIES}
_SHELVES_OF = {
    (code, category): tuple(each for each in goods if each["category"] == category)
    for code, goods in _PRODUCTS.items()
    for category in CATEGORIES
}


def products(country: Country) -> tuple[Product, ...]:
    """The products as this country's customers see them, in Segment's words."""
    return _PRODUCTS[country.code]


def shelf(country: Country, category: str) -> tuple[Product, ...]:
    """The products of one category."""
    return _SHELVES_OF[country.code, category]
