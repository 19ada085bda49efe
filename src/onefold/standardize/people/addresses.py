"""Lines of postal addresses in Latin letters: number, street, unit, box."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people.text import fold, latin, tidy

_ABBREVIATIONS = """
alley: aly allee ally
annex: anx
arcade: arc
avenue: ave av aven avenu avn avnue avnu
bayou: byu
beach: bch
bend: bnd
boulevard: blvd boul boulv bvd bd
branch: br
bridge: brg brdge
brook: brk
bypass: byp
canyon: cyn canyn
center: ctr centre cent cntr
circle: cir circ circl crcl
close: cl
common: cmn
corner: cor cnr
court: ct crt
courts: cts
cove: cv
crescent: cres crescnt cresc crs
creek: crk
crossing: xing crssng
drive: dr drv driv
estate: est
estates: ests
expressway: expy exp expw
extension: ext extn
falls: fls
field: fld
fields: flds
forest: frst
fort: ft frt
freeway: fwy frwy
garden: gdn grdn
gardens: gdns gdn grdns
gate: gte
gateway: gtwy
glen: gln
green: grn
grove: grv gr
harbor: hbr harbour
heights: hts ht
highway: hwy highwy hiway
hill: hl
hills: hls
hollow: holw
island: is
junction: jct jctn
knoll: knl
lake: lk
lakes: lks
landing: lndg
lane: ln la
lodge: ldg
loop: lp
manor: mnr
meadow: mdw
meadows: mdws
mill: ml
mount: mt
mountain: mtn mntn
orchard: orch
parade: pde
park: pk prk
parkway: pkwy pkway parkwy pky
passage: psge
pike: pk
pine: pne
pines: pnes
place: pl
plain: pln
plains: plns
plaza: plz
point: pt
port: prt
prairie: pr
promenade: prom
ranch: rnch
rapids: rpds
ridge: rdg
river: riv rvr
road: rd
route: rte
shore: shr
shores: shrs
spring: spg
springs: spgs
square: sq sqr
station: sta stn
street: st str strt
summit: smt
terrace: ter terr tce
trace: trce
track: trak
trail: trl trls
tunnel: tunl
turnpike: tpke trnpk
union: un
valley: vly vally
view: vw
village: vlg vill vlge
vista: vis
walk: wlk
way: wy
wells: wls
north: n nth
south: s sth
east: e
west: w
northeast: ne
northwest: nw
southeast: se
southwest: sw
saint: st
county: co
strasse: st
platz: pl
weg: w
rue: r
chemin: ch
"""
# What each word of a street is written as: the first abbreviation.
_SHORT: dict[str, str] = {}
for _line in _ABBREVIATIONS.strip().split("\n"):
    _long, _, _shorts = _line.partition(": ")
    for _word in (_long, *_shorts.split()):
        _SHORT.setdefault(_word, _shorts.split()[0])
_SHORT |= {"la": "la", "is": "is", "pk": "park", "prk": "park", "park": "park", "union": "union"}
_SHORT |= {"weg": "weg", "platz": "platz", "rue": "rue", "r": "r", "pine": "pine", "ch": "ch"}
_SHORT |= {"strasse": "st", "str": "st", "pr": "pr", "pt": "pt", "gr": "gr", "br": "br"}
STREET_WORDS = frozenset(
    word for word in _SHORT if len(word) > 2 and word not in ("park", "prk", "union", "pine")
)
"""What streets are called in English, and how that is shortened."""
_ORDINALS = {
    word: f"{number}{ending}"
    for word, number, ending in (
        ("first", 1, "st"),
        ("second", 2, "nd"),
        ("third", 3, "rd"),
        ("fourth", 4, "th"),
        ("fifth", 5, "th"),
        ("sixth", 6, "th"),
        ("seventh", 7, "th"),
        ("eighth", 8, "th"),
        ("ninth", 9, "th"),
        ("tenth", 10, "th"),
    )
}
_PO_BOX = re.compile(
    r"\b(?:p\.?\s*o\.?\s*(?:box|b\.?)|post\s*office\s*box|postfach|apartado|b\.?\s*p\.?|gpo\s*box|box)\s*#?\s*(\d[\w-]*)\b"
)
_UNIT = re.compile(
    r"(?:[,\s]+|^)(?:(?:apartment|apt|appt|suite|ste|unit|room|rm|flat|floor|fl|bldg|building|lot|no|spc|space|trlr|trailer|villa)\b\.?\s*#?\s*|#\s*)"
    r"([a-z0-9][a-z0-9-]{0,7})\b\.?"
)
_UNIT_WORDS = re.compile(
    r"^(?:apartment|apt|appt|suite|ste|unit|room|rm|flat|floor|fl|bldg|building|lot|spc|space|no|nr|#)\b\.?\s*#?\s*"
)
_NUMBER_FIRST = re.compile(
    r"^(?:no\.?\s*)?(\d+(?:\s*[a-df-hj-m](?=[\s,])|[a-z](?![a-z]))?(?:\s*[-–/]\s*\d+[a-z]?)?(?:\s+1/2)?)(?:[\s,]+|$)"
)
_NUMBER_LAST = re.compile(r"[\s,]+(\d{1,5}\s?[a-z]?(?:\s*[-–/]\s*\d+[a-z]?)?)$")
_AUSTRALIAN = re.compile(r"^(?:unit\s*)?([a-z]?\d+[a-z]?)\s*/\s*(\d+[a-z]?)[\s,]+(?=[a-z])")
_GLUED_STREET = re.compile(r"(?<=[a-z]{3})(strasse|straat|str\.?)(?=[\s,]|$)")


class Address(NamedTuple):
    """What one line of an address says; see the columns of `Person`."""

    house_number: str | None = None
    street: str | None = None
    unit: str | None = None
    po_box: str | None = None
    more: str | None = None


@lru_cache(maxsize=4_096)
def address_line(value: str) -> Address:
    """Number, street, unit and box of one line.

    >>> address_line("123 North Main Street, Apt. 4B")
    Address(house_number='123', street='n main st', unit='4b', po_box=None, more=None)
    >>> address_line("P.O. Box 1234").po_box, address_line("Hauptstraße 12a")[:2]
    ('1234', ('12a', 'haupt st'))
    >>> address_line("5/12 Smith Cres")[:3], address_line("221 B Baker St")[:2]
    (('12', 'smith cres', '5'), ('221b', 'baker st'))
    """
    text = latin(tidy(value).replace("ß", "ss")).lower()
    if not text:
        return Address()
    unit = number = None
    if found := _AUSTRALIAN.match(text):
        unit, number, text = found[1], found[2], text[found.end() :]
    elif found := _NUMBER_FIRST.match(text):
        number, text = _compact(found[1]), text[found.end() :]
    return _after_number(text, number, unit)


_DOOR = r"(?:apartment|apt|suite|ste|unit|room|flat|floor|#)\.? ?#?[a-z0-9][a-z0-9-]{0,7}"
_STREET = r"(?:[nsew] )?(?:[a-z]{3,}|\d{1,3}(?:st|nd|rd|th))(?: [a-z0-9#.'&-]+)+"
PLAIN_LINE = rf"\d{{1,6}}[a-z]? {_STREET}(?:, {_DOOR})?"
"""A line that begins with a house number and goes on with words, in small letters."""
_LINE = re.compile(rf"[^,]*, ?{_DOOR}")


def is_line(text: str) -> bool:
    """Is this one line in small letters, without a town? A comma may stand before the door.

    >>> is_line("1 main st, apt. 4b"), is_line("1 main st, leeds")
    (True, False)
    """
    return "," not in text or _LINE.fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def after_number(text: str) -> Address:
    """What stands after the house number of a plain line."""
    return _after_number(text, "", None)


def _after_number(text: str, number: str | None, unit: str | None) -> Address:
    box = None
    if found := _PO_BOX.search(text):
        box, text = found[1], text[: found.start()] + text[found.end() :]
    if unit is None and (found := _UNIT.search(text)):
        unit, text = found[1], text[: found.start()] + " " + text[found.end() :]
    if number is None and (found := _NUMBER_LAST.search(text)):
        number, text = _compact(found[1]), text[: found.start()]
    return Address(number, street_words(text), unit, box)


def _compact(number: str) -> str:
    return number.replace(" 1/2", ".5").replace(" ", "").replace("–", "-")


@lru_cache(maxsize=65_536)
def street_words(text: str) -> str | None:
    """The words of a street, each in its shortest usual form.

    >>> street_words("Saint Georges Terrace"), street_words("fifth avenue north")
    ('st georges ter', '5th ave n')
    """
    words = fold(_GLUED_STREET.sub(r" \1", text.lower())).split()
    return " ".join(_SHORT.get(word) or _ORDINALS.get(word, word) for word in words) or None


@lru_cache(maxsize=65_536)
def street_line(text: str) -> Address:
    """A line without house number: digits in it are the street's.

    >>> street_line("Highway 61 Apt 2")
    Address(house_number=None, street='hwy 61', unit='2', po_box=None, more=None)
    """
    return _after_number(latin(tidy(text).replace("ß", "ss")).lower(), "", None)._replace(
        house_number=None
    )


@lru_cache(maxsize=65_536)
def second_line(value: str) -> Address:
    """A second line of an address: as `address_line`, and all its words beside unit and box.

    >>> second_line("The Lodge, Unit 3"), second_line("Cottage 25").more
    (Address(house_number=None, street='the ldg', unit='3', po_box=None, more='the ldg'), 'cottage 25')
    """
    return address_line(value)._replace(more=street_line(value).street)


@lru_cache(maxsize=65_536)
def house_number(value: str) -> str | None:
    """A house number alone.

    >>> house_number("No. 221 B"), house_number("12–14"), house_number("0"), house_number("8.0")
    ('221b', '12-14', None, '8')
    """
    text = latin(tidy(value)).lower().removeprefix("no").strip(". #号")
    text = re.sub(r"\.0$", "", text.replace("–", "-").replace(" ", ""))
    return text if text.strip("0-.") else None


@lru_cache(maxsize=65_536)
def unit(value: str) -> str | None:
    """An apartment, floor or building alone.

    >>> unit("Apt. 4-B"), unit("# 12"), unit("Unit 5")
    ('4b', '12', '5')
    """
    text = _UNIT_WORDS.sub("", latin(tidy(value)).lower())
    return fold(text).replace(" ", "") or None


@lru_cache(maxsize=65_536)
def po_box(value: str) -> str | None:
    """The number of a box alone.

    >>> po_box("PO Box 123"), po_box("123"), po_box("none")
    ('123', '123', None)
    """
    text = latin(tidy(value)).lower()
    found = _PO_BOX.search(text)
    return (found[1] if found else fold(text).replace(" ", "")) or None


@lru_cache(maxsize=65_536)
def postcode(value: str) -> str | None:
    """A postcode without blanks; of a ZIP+4 the five digits.

    >>> postcode("94105-1234"), postcode("SW1A 1AA"), postcode("00000"), postcode("4350.0")
    ('94105', 'sw1a1aa', None, '4350')
    """
    text = latin(tidy(value)).lower()
    text = fold(re.sub(r"\.0$", "", text)).replace(" ", "")
    if re.fullmatch(r"\d{9}", text):
        text = text[:5]
    return text if text.strip("0x") and not re.fullmatch(r"9{4,}", text) else None
