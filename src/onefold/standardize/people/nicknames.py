"""Short and pet names: the full names that a given name may stand for."""

from __future__ import annotations

from functools import lru_cache

import nicknames

# Pairs of the package's list that are the wrong way round or about other people.
_WRONG = frozenset(
    {
        ("bill", "robert"),
        ("billy", "robert"),
        ("robert", "bill"),
        ("robert", "billy"),
        ("bill", "fred"),
        ("lisa", "liz"),
        ("melchizedek", "dick"),
        ("clifton", "tony"),
        ("shelton", "tony"),
        ("sheridan", "dan"),
        ("sheridan", "danny"),
    }
)
# Full name: short names and the same name in other languages, beyond the package's list.
_MORE = """
aleksandr: sasha sasa shura alex alexander aleksander
alejandro: alex ale jandro alexander
alessandro: sandro ale alex alexander
aleksei: alyosha lyosha alexey aleksey alexei alexej
anastasia: nastya nastia stasya asya
andrei: andrey andrej andrew andre
anna: anya ania anja ann anne ana annie nyura hanna hannah
antonio: tonio toni tono antoni anthony anton
bartholomew: bart
bernhard: bernd bernie berni bernard
catherine: kate katie kat cat kay kathy kitty cathy katherine kathryn katharine cathryn kathrin katrin katarina catarina catalina ekaterina caterina
charles: carlos karl carl charlie chuck charly chas
christopher: kristofer kristopher cristobal christoph christophe topher
concepcion: concha conchita
daniel: dani daniil danilo danny dan
dmitri: dima mitya dmitry dmitriy dimitri
dolores: lola lolita
eduardo: edu lalo edward eduard ed
ekaterina: katya katia katerina yekaterina kate
elena: lena yelena helena helen alyona
elisabeth: elizabeth lisbeth sissi liesl lisa elisa isabel
enrique: quique kike henry heinrich
evgeny: zhenya yevgeny evgeni evgeniy eugene
florian: flo
francesco: franco ciccio checco francis
francisco: paco pancho curro frank francis quico
friedrich: fritz frederick frederic fred
gabriela: gabi gaby gabriella
georg: jorg joerg jurgen george schorsch
gertrude: trudi gerti gertrud
giovanni: gianni vanni nino john johannes
giuseppe: beppe peppe pino joseph
guadalupe: lupe lupita
guillermo: memo guille william
hans: johannes johann hannes
heinrich: heinz henry heiner
ignacio: nacho
igor: gosha
ivan: vanya vania ivo
jakob: jacob jaap jacques jack
james: jaime jacobo santiago diego jimmy jim
jesus: chuy chucho
joao: john juan
johannes: hans johann jan john
jonathan: jon johnathan
jorge: george coque
jose: pepe pepito chepe joseph che
josef: sepp joseph jozef peppi
juan: juanito john
karoline: caroline lina caro karolina carolina
kristina: christina kristin kirsten tina cristina christine
ludwig: louis lutz wiggerl luis luigi
luis: lucho louis
luigi: gigi louis
manuel: manolo manu manny
maria: masha marija mari mariya marie mary marusya
margarete: grete gretel greta margarethe margret margarita margaret rita
maximilian: max
mercedes: merche
michel: michael
mikhail: misha michael mihail
miguel: michael mike micky
mohammed: mohamed muhammad mohammad mohamad muhammed mehmet mo
natalia: natasha nataliya natalie nata
nikolai: kolya nicholas nikolay nicolai
olga: olya
pavel: pasha paul pawel
pedro: perico peter
petr: pyotr peter
pilar: pili
rafael: rafa raphael
roberto: beto rob robert
rosario: charo
salvatore: toto salvo turi
sergei: seryozha sergey serge sergio
sofia: sophia sonya sofya sophie
stephen: steven stephan stefan steffen esteban steve etienne stefano
svetlana: sveta
tatiana: tanya tatyana tania
teresa: tere theresa therese
tomas: thomas tommaso tom
ulrich: uli
viktor: vitya victor vitor
vincenzo: enzo vincent
vladimir: vova volodya vlad volodymyr
wolfgang: wolf
yuri: yura yury
zhanna: jeanne
william: liam
robert: robbie bert
lawrence: lars
benjamin: benji
alexander: xander
arthur: artie
kathleen: kath
barbara: barb
samantha: sammie
alexandra: lexi
isabel: chabela
katrin: kati
agnieszka: aga
malgorzata: gosia
krzysztof: krzysiek
"""


@lru_cache(maxsize=1)
def _roots() -> dict[str, tuple[str, ...]]:
    """Each name that is short for another, with all that it may stand for, itself included."""
    pairs = {
        (full, short)
        for full, _, short in nicknames.name_triplets()
        if len(short) > 1 and full != short
    } - _WRONG
    for line in _MORE.split("\n"):
        full, _, shorts = line.partition(": ")
        pairs.update((full, short) for short in shorts.split())
    found: dict[str, set[str]] = {}
    for full, short in pairs:
        found.setdefault(short, {short}).add(full)
    return {short: tuple(sorted(full)) for short, full in found.items()}


def is_known(name: str) -> bool:
    """Is this folded word a given name of the English-speaking world, or short for one?"""
    return name in _roots() or name in _full_names()


@lru_cache(maxsize=1)
def _full_names() -> frozenset[str]:
    return frozenset(full for roots in _roots().values() for full in roots)


def nickname_roots(name: str) -> tuple[str, ...]:
    """The full names that a folded given name may stand for, itself among them.

    Two names may be of one person where their roots overlap.

    >>> nickname_roots("bill")
    ('bill', 'will', 'william', 'willis')
    >>> nickname_roots("xiaoming")
    ('xiaoming',)
    """
    return _roots().get(name) or ((name,) if name else ())
