"""Family names, the commonest first, and the parts of which rare ones are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LIKE_A_CENSUS = (0.88, 8.0)
"""How common names are by their place in a list of 60,000, as in the United States' census of 1990.

There the commonest 10, 100, 250, 1,000, 5,000 and 20,000 family names are .056, .188, .275, .434, .633 and .796 of
all people, and two have the same with 1 in 1,436; here .055, .194, .272, .413, .609, .813 and 1 in 1,493.
"""
MANY = 60_000

ENGLISH = """Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Thomas Moore Jackson Martin Lee Thompson
White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams Nelson Baker Hall Campbell
Mitchell Carter Roberts Phillips Evans Turner Parker Edwards Collins Stewart Morris Murphy Cook Rogers Morgan Peterson Cooper
Reed Bailey Bell Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray James Hughes Price Myers Long Foster
Sanders Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher Henderson Coleman Simmons Patterson Jordan Reynolds
Hamilton Graham Wallace Cole West Hayes Gibson Bryant Ellis Stevens Murray Ford Marshall Owens McDonald Harrison Woods Kennedy
Wells Henry Chen Freeman Webb Tucker Burns Crawford Olson Simpson Porter Hunter Gordon Shaw Snyder Mason Dixon Hunt Hicks
Holmes Palmer Wagner Black Robertson Boyd Stone Salazar Fox Warren Mills Meyer Rice Schmidt Daniels Ferguson Nichols Stephens
Ryan Weaver Gardner Payne Dunn Kelley Spencer Hawkins Arnold Pierce Hansen Peters Santos Hart Bradley Knight Elliott Cunningham
Duncan Armstrong Hudson Carroll Lane Andrews Ray Berry Perkins Hoffman Johnston Matthews Richards Willis Carpenter Lawrence
O'Brien O'Connor O'Neill O'Donnell McCarthy McKenzie McLaughlin MacDonald McGuire McBride McCoy FitzGerald St.John D'Angelo
Riley Harper Austin Greene Bishop Hayward Chapman Lawson Burke Fields Oliver Watkins Jacobs Franklin Lynch Bowman Fuller
Garrett Howell Schultz Larson Fowler Brewer Vaughn Barker Newman Pearson Norris Barrett Steele Fletcher Jensen Horton Leonard
Blake Bates Todd Dawson Hale Mann Cross Erickson Rhodes Ball Sharp Bush Cobb Moss Doyle Bauer Frank Cohen Goldberg Klein
Weber Becker Swanson Gibbs Thornton Wise Potter Goodwin Webster Lowe Blair Marsh Nash Hodges Sutton Craig Lambert Norton""".split()
STARTS = """Ash Black Brad Hart Wood Stan Hal Lang Whit Thorn Bar Brent Cal Chat Cran Dal Den Ed Elm Fair Gar Glad Green
Had Ham Har Hay Hol Kil King Lin Lock Mans May Mid Mor New Nor Oak Pem Pres Rad Red Ripp Rock Rom Ruther Sel Shel Sher Sim
Stock Strat Sut Syd Tren Wal Ware Water Wel West Wil Win Wor Wynd""".split()
ENDS = """ford ton well worth ley man field son by wick ham more wood shaw land dale gate brook combe burn hurst stead
ridge den bury low grove cliffe thorpe ward cott""".split()
MIDDLES = [
    "",
    *"""er ing en el le in am ar ens et on is ard ber ick min ner per ster ling bur den man wer kin ters nis al""".split(),
]
HISPANIC = """García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Reyes
Morales Cruz Ortiz Gutiérrez Chávez Ramos Ruiz Álvarez Mendoza Vásquez Castillo Jiménez Moreno Romero Herrera Medina Aguilar
Garza Castro Vargas Fernández Guzmán Muñoz Salazar Soto Delgado Peña Ríos Alvarado Sandoval Contreras Valdez Guerrero Ortega
Estrada Núñez Maldonado Vega Juárez Domínguez Espinoza Silva Padilla Rojas Acosta Cabrera Fuentes Navarro Molina Campos Cervantes
Carrillo Ayala Leal Lara Solís Rosales Cárdenas Pacheco Robles Serrano Zamora Trujillo Ibarra Salinas Bautista Cisneros Montoya""".split()
EUROPEAN = """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Weiß Jäger Groß Köhler König Dubois Bernard Petit
Durand Leroy Moreau Lefèvre Lefebvre Fournier Girard Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco
De_Luca Di_Stefano Della_Rovere Kowalski Nowak Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Dvořák Novák
Svoboda Nagy Kovács Tóth Szabó Ivanov Petrov Smirnov Kuznetsov Popov Volkov Hansen Nielsen Jørgensen Sørensen Andersson
Lindqvist Johansson van_den_Berg van_Dijk de_Vries Janssen Bakker Visser de_Boer Papadopoulos Nikolaidis Georgiou Khan Ahmed
Hussain Ali Malik Patel Singh Sharma Kumar Gupta Shah Reddy Rao Iyer Nguyen Tran Pham Hoang Vu Kim Park Choi Jung Kang
Tanaka Suzuki Yamamoto Watanabe Nakamura Silva Santos Oliveira Pereira Costa Ferreira Yılmaz Kaya Demir Çelik Şahin
al-Hassan el-Sayed bin_Rashid Okafor Adeyemi Mensah Mbeki Abebe Ó_Súilleabháin Ní_Bhriain ap_Rhys Llewellyn von_Braun
zu_Stolberg du_Plessis la_Cour St._Pierre Le_Goff Saint-Martin Müller-Lüdenscheidt Leutheusser-Schnarrenberger""".split()
EURO_STARTS = """Berg Stein Wald Rosen Gold Silber Eisen Feld Baum Licht Kirch Linden Blumen Sommer Winter Neu Alt Hoch Acker
Birken Brunnen Burg Dorn Eber Engel Erlen Falken Fried Grün Hasel Hirsch Holz Kalten Kessel Lauter Mühl Nord Ober Pfeffer
Reichen Rot Salz Sand Schön Schwarzen Tannen Unter Vogel Weiden Wiesen Ziegel""".split()
EURO_MIDDLES = ["", "en", "er", "el", "in", "ing", "ens", "ert", "al", "an", "ber", "den"]
EURO_ENDS = "mann er hof bauer stein berg feld hauser meyer müller maier bach brunner inger thaler brandt".split()
SLAVIC_MIDDLES = ["", "al", "ar", "en", "ik", "in", "or", "ow", "ył", "ian", "ul", "ech"]
SLAVIC_STARTS = "Kowal Nowak Wisn Maz Jabł Sokoł Wrób Zaj Król Pawł Gór Dąb Pol Bar Czer Lip Sob Wil Żuk Mal".split()
SLAVIC_ENDS = "ski ska owski iewicz czyk ak ek owicz enko chuk".split()


def _made(starts: Sequence[str], middles: Sequence[str], ends: Sequence[str]) -> list[str]:
    """All names of these parts, in no order; those of two parts first."""
    found = []
    for some in (middles[:1], middles[1:]):
        names = [one + two + three for one in starts for two in some for three in ends]
        found += [names[at] for at in np.random.default_rng(1990).permutation(len(names))]
    return found


def english() -> list[str]:
    """Family names of English kind, the commonest first."""
    return [*dict.fromkeys([*ENGLISH, *_made(STARTS, MIDDLES, ENDS)])][:MANY]


def european() -> list[str]:
    """Family names of Europe, and of who came there, the commonest first."""
    german = _made(EURO_STARTS, EURO_MIDDLES, EURO_ENDS)
    slavic = _made(SLAVIC_STARTS, SLAVIC_MIDDLES, SLAVIC_ENDS)
    mixed = [name for pair in zip(german, slavic, strict=False) for name in pair]
    listed = [each.replace("_", " ") for each in EUROPEAN]
    return [*dict.fromkeys([*listed, *mixed, *german])][:MANY]
