"""Beginnings of words that mean the same in German, English, French, Spanish, Polish, Russian and Ukrainian.

They let reports in different languages be compared, and two countries be told apart. Each line is
`id: beginnings`, folded as `fingerprint.fold` does. `=word` asks for exactly that word.
The longest beginning wins.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# Countries, with their people, their capitals and what else stands for them in headlines.
_PLACES: Final = """
russia: russ rusia =ruso =rusa =rusos =rusas rosyj rosj rossi rosiy moscow moskau moskv moscou moscu moskw
    kreml krml
ukraine: ucran ukrai kyiv kyiw kiew kiev kiyev kiyi kijow kijew
usa: texas florid californ kalifor newyork nevada =usa =us =u.s =ssha =ssza =eeuu =uu =etats americ amerik
    ameryk estadounid washin vashing waszyngt pentagon =fed =fbi =cia
china: china chine chino chiny chinsk kitay kitai kytay beijing pekin
germany: bayern bavar baviera sachsen saxony hessen hambur munchen munich monach frankfurt german deutsch
    allemag allemand aleman niemc niemie nimech berlin
france: frenc franz franc frankreich frants paris parys parizh paryz elysee
uk: brit england englis angleterr inglater ingle angli london londr londyn wielkobryt velikobrit
poland: polen poland pologn polon polsce polsk polac polsh warsaw warschau warsz varsov varshav
spain: spain spani espagn espan ispan hiszp madrid madryt
italy: italy itali wloch wlosk rome =rom =roma rzym
brazil: brazil brasil bresil brazyl
india: india indii indiy indiu indie indisch indyj =inde delhi deli neu-delhi
japan: japan japon yapon tokyo tokio
turkey: turkey turki turqu turcj turets turts ankar
iran: iran teheran tehran tegeran
israel: israel izrael izrail jerusalem
saudi: saudi saoudi saudyj saudov riad riyad rijad er-riyad eryad
emirates: emirat abu-dhab dubai dubaj
syria: syri =siri siriy damasc damask
egypt: egipt agypt egyp cairo kairo
canada: canad kanad ottawa ottav
mexico: mexic mexik meksy meksik
argentina: argentin
chile: chile chili santiago
bolivia: bolivi boliwi
peru: =peru peruan peruv
colombia: colomb kolumb
venezuela: venezuel wenezuel caracas
cuba: =cuba cuban =kuba kuban havana
greece: greece greek griech grece =grec grecque grecia grieg grecj greck gretsi grech athen atenas
portugal: portug lissab lisbo lizbon lisabon
netherlands: netherl niederl paysbas holand hollan niderland den-haag hague
belgium: belgi
austria: austri osterreich autrich avstri wien vien wieden
switzerland: switz swiss schweiz suisse suiza szwajc shveyts =bern genev genf ginebr
sweden: swed schwed suede suedo sueci szwec szwed shvets shved stockholm stokgol sztokh
norway: norw norveg norueg norvezh oslo
finland: finn finl helsink khelsink
denmark: denmark danish danois dinamar danemar =dani dunsk daniya kopenh copenh
iceland: icelan =island islandi islandz reykjav
ireland: ireland irish irlan dublin
czechia: czech tschech tcheq cheq chekh chesk =prag prague praga
slovakia: slovak slowak slovaqu eslovaq slovats bratislav
hungary: hungar ungarn =ungar hongri hongroi hungri wegier vengri budapest budapeszt
romania: romani rumani rumun rumyn bukar buchar
bulgaria: bulgar
serbia: serb belgrad
croatia: croat kroat chorwac khorvat zagreb
moldova: moldov moldau moldaw chisin kishin
belarus: belarus belorus bialorus weissruss minsk
lithuania: lithuan litau lituan litew litov litva wilno vilni
latvia: latvi lettl letton leton lotw riga
estonia: eston estl tallin
georgia: georgi gruzj gruzi tbilis tiflis
armenia: armen erevan yerevan
azerbaijan: azerb aserb baku
kazakhstan: kazakh kasach kazach astana
afghan: afghan afgan kabul
pakistan: pakistan islamabad
bangladesh: banglad dhaka
indonesia: indones jakart
philippines: philip filip manila
vietnam: vietnam wietnam hanoi
thailand: thailan tailand bangkok
korea-n: northkorea nordkorea pjongj pyongy pkhenyan
korea: korea coree corea koree koreya koreyi seoul seul
taiwan: taiwan tayvan tajwan taipei
australia: austral canberra
africa-s: sudafrik suedafrik =rsa pretoria
nigeria: nigeri lagos abuja
sudan: sudan soudan khartum
ethiopia: ethiop athiop etiop efiop
congo: congo kongo kinshasa
libya: liby =libi libii liviy tripoli
algeria: alger algier argel
morocco: morocc maroc marruec marok rabat
eu: =eu =ue =es europaischeunion brussel bruxell brusel bryussel bruks
un: =un =uno =onu =oon =onz
nato: =nato =otan
"""

_WORDS: Final = """
quake: earthq quake erdbeb =beben seism terremot sism trzes zemletr tremblement magnitud
flood: flood hochwass ubersch inondat inund powod navodn poveni
storm: storm sturm temp torment burz shtorm =buri uragan orkan hurricane wichur taifun typhoon tifon
fire: wildfire =fire fires =brand brande waldbrand incend pozhar pozar pozhezh bushfire =feu =fuego
volcano: volcan vulkan wulkan erupc erupt izverzh ausbruch
ash: =ash =asche cendre cenizas pepel popiol
drought: drought durre secheres sequia susz zasukh
heat: heatwave hitzewelle canicul olacalor upal zhara
crash: crash ungluck unfall acciden wypad avari katastr absturz kraks
derail: derail entgleis descarril wykole soshel skhod
train: train =zug zuge schnellzug regionalzug =tren trenes pociag poezd poizd
rail: rail =bahn eisenbahn cheminot ferrov kolej zheleznodor
ship: ship schiff navire buque barco =stat statek statk sudno korabl
shipbuild: shipbuild schiffbau sudostro stoczni shipyard werft chantier =verf =verfi =verfey astiller
ferry: ferry =fahre ferri transbord =prom parom
sink: sank sink gesunk unterg coule hundi zaton
bus: =bus autobus buses busse
plane: =plane aircraft flugzeug avion samol letadl =jet aviat
airport: airport flughaf aeroport aeropuert lotnisk
flight: flight =flug fluge direktflug =vols vuelo =lot rejs reys aviaretys
pilot: pilot
launch: launch =start gestart decoll despeg lanz startow zapusk liftoff lifts
moon: moon =mond mondson luna lune ksiezyc lunn
probe: =probe sonde sonda zond
dead: dead death died kill tote getot starb gestorb mort muert falleci zabit zgin pogib umer zagin zahyn
    toll
injured: injur wound hurt verletz bless herid rann ranen postrad poran
missing: missing vermiss dispar desapar zagini propal propavsh
evacuate: evacu evaku ewaku sicherheit
rescue: rescu rettung retter secour rescat ratun spas
shooting: shoot schuss fusill tiroteo strzel strelb
explosion: explos blast wybuch vzryv vybukh
attack: attack angriff attaqu ataqu atak napad udar
war: =war krieg guerr wojn voyn viyn
ceasefire: ceasef truce waffenruh feuerpaus cessezlefeu cesselefeu treve =alto tregua zawieszen rozejm
    peremir
peace: peace frieden paix =paz pokoj =mir mirn
talks: talks negotia verhandl unterhand gesprach negoci rozmow negocj peregov spricht entretien
meet: meet =met trifft treffen zusammengek rencontr reuni spotk vstrech vstret zustrich
envoy: envoy gesandt sonderg emissair enviado wyslan poslan spetspred
visit: visit besuch wizyt vizit prilet arriv eingetrof eintref prib przylec lleg
sign: signs signed =sign unterzeich =signe firmar =firma podpis
accord: accord abkomm agreem =deal acuerd umow soglash ugod
sanction: sanction sankt sanci sankc
tariff: tariff =zoll zolle zolldroh zollstreit sekundarzoll strafzoll douan arancel =cla =cel celn poshlin
    =mit levy
secondary: secondar sekundar secondair secundari wtorn vtorichn
trade: trade handel commerc comerci handl torgov torgiv
export: export ausfuhr eksport
import: =import imports imported einfuhr importat
licence: licenc license lizenz permit permis licenj litsenz
rare: rare seltene raras rzadk redkozem ridkozem
earth: earths erden seltenerd terres tierras =ziem redkozem
metal: metal
mine: =mine mines mining miner bergbau abbau minier kopaln shakht rudnik
magnet: magnet aimant =iman imane
oil: =oil crude erdol =ol =ols petrol =ropa ropy ropn neft naft brent rohol
gas: =gas =gaz erdgas gazov
power: electric =strom elektr energi kraftwerk courant =prad swiatl
nuclear: nuklear atom nuclea jadr yadern
price: price =preis preise prix precio =cena ceny =cen tsena tseny
rise: rise rose steig hausse sube wzros rast vyros
fall: fell falls fallt gefallen baisse =baja spad snizi
inflation: inflation inflacj inflaci inflats teuer
rate: rates =rate leitzins =zins zinss einlagenzin taux =tasa tipos =stop stopy stavk
cut: cuts =cut lower senkt gesenkt abaiss redui recort obniz snizil snizh
central-bank: centralbank zentralb notenb =ezb =ecb =bce =ebc
bank: bank banq banc
percent: percent prozent pourcent porcient procent protsent
billion: billion milliard =mrd miliard mil-millon =bln
million: million millon milion
euro: euro evro
dollar: dollar dolar
fund: =fund funds fonds staatsfond fondo fundusz =fond fonda
company: compan konzern unterneh entrepr empres firm spolk kompani pidpry
takeover: takeov takes-over ubernimm ubernahm rachat rachet adquis przej pogloshch merger fusion fuzj acquir
    buys
steel: steel stahl acier sider acero =stal stali staln
factory: factor =plant fabrik =werk usine fabric fabry zavod plants chipfab
chip: =chip chips chipfab semicond halbleit =puce puces polprzew mikroch
vaccine: vaccin impf vacuna szczep vaktsin
hospital: hospital klinik krankenh hopit clinic szpital bolnits likarn
health: health gesundh sante sanidad zdrow zdrav zdorov
strike: strike streik greve huelg strajk zabasto
worker: worker arbeiter beschaft travail trabaj pracown robotnik rabotnik rabochi
pension: =rente renten retrait jubil emeryt pensi
school: school schule ecole escuel szkol shkol
university: universi
court: court gericht tribun =sad sadu =sud suda
sentence: sentenc verurteil condamn conden skaz prigov
prison: prison =haft gefang carcel wiezie tyurm jail
prisoner: prisoner gefangen captiv pleni jenc plenn
exchange: exchang swap austausch tausch echang intercam wymian obmen
fraud: fraud betrug oszust moshenn
police: polize polic politsi
arrest: arrest festgen detien deten zatrzym zaderz arestow
election: elect =wahl wahle elecc wybor vybor
vote: vote stimm abstimm =voto glosow golosov
parliament: parliam parlam bundestag =duma sejm senat senado
government: governm regier gouvern gobiern rzad pravitel uryad
president: presid prasid prezyd prezid
minister: minist
prime: =prime premier ministerprasid vizepremi vitse-prem
resign: resign ruckt zurucktr demission dimit dymis otstav stepped
court-appeal: appeal berufung recours recurso apelac apelly
border: border grenz frontier fronter granic granits
refugee: refugee fluchtl refugi uchodz bezhen
migrant: migra
army: army =armee =heer ejercit wojsk armii armiy
soldier: soldier soldat soldad zolnier voenn viysk
drone: drone drohn =dron dronow bespilot bezpilot
missile: missil rakete =raket cohete pocisk raketa
hacker: hack cyber ciber kiber ransom erpressungss
forest: forest =wald waldb foret bosque =las lasu lesn
hectare: hectar hektar
island: island =isla =ile insel wysp ostrov
museum: =muse museum musee museo muzeum muzey
win: wins =won gewinn siegt gagn =gana wygr vyigr
record: record rekord
ban: =ban bans banned verbot interdi prohib zakaz zapret
protest: protest manifest demonstr
climate: climat =klima klimat
water: water wasser =agua =eau =wod woda voda
plague: virus corona epidem grippe infekt
space: space weltraum weltall espace espacial kosm
reserve: reserv stockpil vorrat zapas
stake: stake beteilig particip udzial dolya dolyu aktsii
warn: warn avert advier ostrzeg predupre
threat: threat droht drohen drohung menac amenaz groz ugroz prigroz
suspend: suspend =halt halts stopp froze ausgesetz wstrzym priostan ostanov
open: opens opened eroffn ouvr inaugur otwar otkry vidkry
approve: approv genehmig autoris aprob zgadz odobr zatwier backs
build: build baut =bau constru budow zbud postro pobud
death-toll: todesop =bilan =balance
"""


# To answer no: whoever reports that a threat is defied tells another event than whoever reports the threat.
_REFUSALS: Final = """
refusal: reject rebuff rebuke =defy =defies =defied =defiant =defiance snub refus dismiss =vow =vows vowed
    retaliat countermeas =weist zuruckgewies zuruckweis abgelehn ablehn =lehnt trotzt kontert widersprich
    gegenmass gegenzoll rejett =defie =defient riposte =ripost replique contremes rechaz desafi replic
    represal contramed odrzuc odmaw odmow odwet otverg otvetn otklon otkaz vidkin vidkid vidmov vidpovid
"""


def _parsed(table: str) -> dict[str, str]:
    stems: dict[str, str] = {}
    concept = ""
    for word in table.split():
        if word.endswith(":"):
            concept = word[:-1]
        else:
            stems.setdefault(word, concept)
    return stems


PLACES: Final = _parsed(_PLACES)
WORDS: Final = _parsed(_WORDS)
REFUSALS: Final = _parsed(_REFUSALS)
_LONGEST: Final = max(len(stem) for stem in (*PLACES, *WORDS, *REFUSALS))


@lru_cache(maxsize=65536)
def place(word: str) -> str | None:
    """Return the country that a folded word names; None: none that we know."""
    return _longest(word, PLACES)


@lru_cache(maxsize=65536)
def concept(word: str) -> str | None:
    """Return the id of what a folded word means; None: nothing that we know."""
    return _longest(word, WORDS)


@lru_cache(maxsize=65536)
def is_refusal(word: str) -> bool:
    """Whether a folded word says that somebody answers no."""
    return _longest(word, REFUSALS) is not None


def _longest(word: str, stems: dict[str, str]) -> str | None:
    if f"={word}" in stems:
        return stems[f"={word}"]
    for length in range(min(len(word), _LONGEST), 3, -1):
        if word[:length] in stems:
            return stems[word[:length]]
    return None
