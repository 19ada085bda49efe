"""Frequent given and family names, by which a column of names is seen where no header tells it.

Only to recognize columns: whoever is not in these lists has a name all the same.
"""

from __future__ import annotations

from onefold.standardize.people import nicknames
from onefold.standardize.people.text import fold

_GIVEN = """
andreas thomas michael stefan stephan christian martin markus marcus matthias peter frank klaus claus wolfgang jurgen uwe ralf
dirk jens sven torsten thorsten bernd dieter manfred gerhard gunter guenter gunther helmut horst heinz karl walter werner rainer
reiner rolf holger jorg joerg oliver alexander sebastian daniel tobias florian jan philipp felix lukas lucas leon paul jonas elias
noah finn luis ben maximilian moritz niklas david julian fabian dominik patrick marcel kevin robert rudiger volker norbert herbert
kurt fritz hans josef johann johannes georg anton franz ludwig friedrich heinrich hermann wilhelm otto ernst emil theo oskar
hannes henrik lars nils olaf ingo axel detlef hartmut siegfried egon gustav konrad benedikt simon samuel jakob mika milan
anna maria sabine susanne petra monika claudia andrea martina birgit karin ursula brigitte renate gabriele angelika heike ute
silke anja katja tanja sandra nicole stefanie stephanie melanie julia katharina christina christine kerstin barbara helga ingrid
gisela erika elke heidi doris gudrun irene ilse hannelore waltraud edith marion silvia sylvia manuela cornelia simone ulrike
bettina regina antje britta daniela jana janina lisa laura lena lea leonie hannah hanna emma mia emilia sophia sofia marie johanna
franziska vanessa jessica jennifer sarah sara nadine yvonne kathrin katrin svenja annika carolin luisa louisa clara klara charlotte
amelie frieda greta ida paula nele mathilda ella elif ayse fatma emine zeynep mehmet mustafa ahmet ali hasan huseyin murat
jean pierre michel philippe alain nicolas laurent thierry pascal olivier guillaume julien mathieu antoine francois jacques
bernard henri louis gabriel hugo arthur jules lucie camille manon chloe emilie celine aurelie sophie isabelle nathalie valerie
catherine francoise monique sylvie veronique elodie juliette alice louise jeanne marguerite helene
giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo michele
giorgio aldo marco andrea luca matteo alessandro lorenzo davide stefano roberto giulia chiara francesca federica martina elena
valentina silvia paola lucia rosa giovanna teresa angela
jose juan manuel francisco javier carlos miguel rafael pedro pablo alejandro fernando jorge luis sergio diego alvaro ramon
enrique vicente ruben ivan carmen ana isabel dolores pilar cristina marta lucia raquel beatriz rocio mercedes rosario
joao rui tiago goncalo duarte ines catarina beatriz mariana leonor
piotr krzysztof andrzej tomasz marcin pawel michal grzegorz jerzy zbigniew katarzyna malgorzata agnieszka ewa zofia
willem pieter jeroen sander bram daan sem lotte sanne femke fleur anouk
erik lars anders johan magnus nils bjorn karin astrid ingrid sigrid freja
james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven paul
andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry
justin scott brandon benjamin samuel gregory frank raymond alexander patrick jack dennis jerry tyler aaron adam nathan henry zachary
douglas peter kyle noah ethan jeremy walter christian keith roger terry austin sean gerald carl harold dylan arthur lawrence jordan
jesse bryan billy bruce gabriel joe logan alan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell bradley
mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily
donna michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley brenda emma
anna pamela nicole samantha katherine christine helen debra rachel carolyn janet maria catherine heather diane olivia julie joyce
victoria ruth virginia lauren kelly christina joan evelyn judith andrea hannah megan cheryl jacqueline martha madison teresa gloria
sara janice ann kathryn abigail sophia frances jean alice judy isabella julia grace amber denise danielle marilyn beverly charlotte
natalie theresa diana brittany doris kayla alexis lori marie
oliver harry charlie oscar leo alfie freddie theo archie isla ava poppy freya ivy florence harriet nigel graham clive trevor
"""
_FAMILY = """
muller mueller schmidt schneider fischer weber meyer meier maier mayer wagner becker schulz schulze schultz hoffmann hofmann
schafer schaefer koch bauer richter klein wolf schroder schroeder neumann schwarz zimmermann braun kruger krueger hartmann lange
schmitt schmitz krause werner lehmann schmid kohler koehler herrmann konig koenig walter huber kaiser fuchs peters lang scholz
moller moeller weiss jung hahn schubert vogel friedrich keller gunther guenther frank berger winkler roth beck lorenz baumann
franke albrecht schuster simon ludwig bohm boehm winter kraus martin schumacher kramer kraemer vogt stein jager jaeger otto sommer
gross seidel heinrich brandt haas schreiber graf dietrich ziegler kuhn kuehn pohl engel horn busch bergmann thomas voigt sauer
arnold wolff pfeiffer ernst lindner hubner huebner kuhlmann steiner gruber moser wimmer egger brunner frei gerber baumgartner
kurz reiter ebert hein bock hansen petersen jansen janssen lorenzen yilmaz kaya demir sahin celik
smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor
moore jackson lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres
nguyen hill flores green adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker
cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard
ramos kim cox ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel
myers long ross foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes fisher vasquez simmons
graham murray ford hamilton shaw griffiths davies khan ali begum
bernard dubois durand leroy moreau laurent lefebvre michel bertrand roux vincent fournier girard bonnet dupont lambert fontaine
rousseau blanc guerin faure mercier
rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti costa giordano mancini rizzo lombardi
moretti silva santos ferreira pereira oliveira rodrigues almeida sousa fernandes goncalves
fernandez gonzales romero alonso navarro dominguez vazquez serrano molina
nowak kowalski wisniewski wojcik kowalczyk kaminski lewandowski zielinski
jansen bakker visser smit meijer mulder bos peeters maes andersson johansson karlsson nilsson eriksson larsson olsen jensen nielsen
"""
_GIVEN_NAMES = frozenset(_GIVEN.split())
_FAMILY_NAMES = frozenset(_FAMILY.split())


def is_given(name: str) -> bool:
    """Is this folded word a frequent given name?

    >>> [is_given(name) for name in ("katharina", "bill", "berlin")]
    [True, True, False]
    """
    return name in _GIVEN_NAMES or nicknames.is_known(name)


def is_family(name: str) -> bool:
    """Is this a frequent family name, as it is written?

    >>> [is_family(name) for name in ("Müller", "Mueller", "García", "Hamburg")]
    [True, True, True, False]
    """
    return fold(name) in _FAMILY_NAMES
