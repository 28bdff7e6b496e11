"""Words that say nothing about which event a text tells, and words that say the same in many languages.

All words are folded as `fingerprint.fold` does: lower case, Latin letters, no accents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Function words, by language: they carry no event, and they tell the language when nobody else does.
STOPWORDS: Final[Mapping[str, frozenset[str]]] = {
    "en": _words(
        "the of and to in a an is are was were be been has have had it its he she they his her their "
        "that this these those with for on at by from as or but not after before over under into "
        "about against between during will would could should may might can who which what when where "
        "how more than also said says new us we you i out up down off no all some any other one two "
        "first last year years day days week month amid among while since until because there then so "
        "if do does did being according per"
    ),
    "de": _words(
        "der die das den dem des ein eine einen einem einer eines und oder aber nicht ist sind war "
        "waren wird werden wurde wurden hat haben hatte hatten in im an am auf aus bei mit nach von "
        "vom vor zu zum zur uber unter fur gegen um durch ohne bis seit als wie wenn dass da sich er "
        "sie es wir ihr sein seine seinen seiner ihre ihren ihrer auch noch nur schon mehr sehr so "
        "dann damit dabei dies diese dieser dieses diesem diesen kann konnen konnte soll sollen "
        "sollte muss will wollen man was wer wo zwischen wegen wahrend laut neue neuen neuer jahr "
        "jahre jahren tag tage woche monat sagte teilte"
    ),
    "fr": _words(
        "le la les l un une des du de d et ou mais ne pas est sont etait ete etre a ont avait avoir "
        "dans en au aux sur sous par pour avec sans contre entre vers chez apres avant depuis pendant "
        "que qui quoi dont ce cet cette ces il elle ils elles son sa ses leur leurs on nous vous se s "
        "plus moins tres aussi selon comme si deux nouveau nouvelle an ans annee jour jours semaine "
        "mois fait dit ainsi lors"
    ),
    "es": _words(
        "el la los las un una unos unas de del y o pero no es son era fue fueron ser ha han habia en "
        "a al con por para sin sobre entre contra desde hasta tras ante durante segun que quien cual "
        "como cuando donde este esta estos estas ese esa su sus se lo le les mas menos muy tambien ya "
        "si dos nuevo nueva ano anos dia dias semana mes dijo"
    ),
    "pl": _words(
        "i w we z ze na do od po za o u przez dla przy pod nad przed bez oraz a ale lub nie jest sa "
        "byl byla bylo byli byc ma maja sie to ten ta te tego tej tym tych jak ktory ktora ktore "
        "ktorzy co kto gdy juz tylko takze rowniez jego jej ich nowy nowa nowe rok roku lat dni dnia "
        "tydzien miesiac wedlug miedzy zostal zostala zostaly"
    ),
    "ru": _words(
        "i v vo na s so k ko po o ob ot do iz za u dlya pri pod nad pered bez mezhdu protiv cherez "
        "posle a no ili ne eto etot eta eti togo etogo tem chto chtoby kak kogda gde kotoryi kotoraya "
        "kotorye kotorykh on ona ono oni ego ee ikh svoi svoyu byl byla bylo byli budet budut est "
        "mozhet takzhe uzhe eshche tol'ko tolko bolee menee ves vse vsekh god goda let dnya dnei den "
        "nedelya mesyats soobshchil soobshchila zayavil zayavila novyi novaya novye novykh kotoryy "
        "novyy soglasno svyazi iz-za"
    ),
    "uk": _words(
        "i y v u vid do z zi iz za na po pro dlya pry pid nad pered bez mizh proty cherez pislya a "
        "ale abo ne tse tsey tsya tsi shcho shchob yak koly de yakyy yaka yaki vin vona vony yoho "
        "yiyi yikh buv bula bulo buly bude takozh vzhe shche bil'she rik roku rokiv dnya dniv "
        "povidomyv povidomyla zayavyv zayavyla"
    ),
    "it": _words(
        "il lo la i gli le un uno una di del della dei delle dello degli e o ma non sono era stato "
        "stata ha hanno in nel nella a al alla da dal dalla con su sul sulla per tra fra contro dopo "
        "prima che chi cui come quando dove questo questa si anche piu meno secondo due nuovo nuova "
        "anni anno giorno"
    ),
    "pt": _words(
        "o a os as um uma de do da dos das e ou mas nao sao era foi foram ser tem em no na nos nas "
        "com por pelo pela para sem sobre entre contra apos ate que quem qual como quando onde este "
        "esta esse essa seu sua se mais menos tambem ja dois novo nova ano anos dia dias"
    ),
    "nl": _words(
        "de het een en of maar niet is zijn was waren wordt worden werd heeft hebben had in op aan "
        "bij met naar van voor door over onder tegen tussen na om te tot uit dat die dit deze er hij "
        "zij ze hun haar ook nog meer dan als wat wie waar nieuwe jaar dagen volgens"
    ),
}
ALL_STOPWORDS: Final = frozenset[str]().union(*STOPWORDS.values())

# What editors put before a headline when they publish it again. Matched on the raw title.
TICKER: Final = re.compile(
    r"""^(?:[\s+*!»>#\[(]*
    (?:eil(?:meldung)?|breaking(?:\s+news)?|update|updated|urgent|live(?:blog|ticker)?|exclusive|exklusiv|wdh|
       wiederholung|correct(?:ed|ion)|refile|korrektur|berichtigung|flash|alerte(?:\s+info)?|alert|video|watch|
       topnews|aktualisiert|zusammenfassung|wrapup|rpt|mise\s+à\s+jour|dernière\s+minute|direct|en\s+direct|
       última\s+hora|urgente|actualización|pilne|z\s+ostatniej\s+chwili|aktualizacja|
       срочно|молния|обновлено|обновление|видео|эксклюзив|терміново|оновлено)
    \s*\d{0,2}\s*[\])+*!]*\s*(?:[:|.+*–—-]+|(?<=[\])+!]))\s*)+""",
    re.IGNORECASE | re.VERBOSE,
)

# "MOSCOW, Nov 3 (Reuters) - ", "Berlin (dpa) – ": where a report was written, not what it tells.
DATELINE: Final = re.compile(r"^[^.!?()]{2,50}\((?P<agency>[\w .,/-]{2,30})\)\s*[:–—-]+\s*")

# Beginnings of words that count people harmed or moved: their numbers change while the story stays.
CASUALTY: Final = re.compile(
    r"\b(?:dead|deaths?|died|dying|killed|kills|injur\w+|wound\w+|victims?|casualt\w+|tolls?|missing|evacuat\w+|"
    r"homeless|infected|infections?|"
    r"tote[nrs]?|tot|todesopfer\w*|getotet\w*|starb\w*|gestorben|verletzt\w*|schwerverletzt\w*|opfern?|"
    r"vermisst\w*|evakui\w+|obdachlos\w*|infiz\w+|"
    r"pogib\w+|umer\w*|ranen\w*|postrada\w+|zhertv\w*|propavsh\w+|propal\w*|zaraz\w+|evakuir\w+|"
    r"morts?|mortes?|tue(?:s|e|es)|blesse\w*|victimes|disparu\w*|evacue\w*|"
    r"muert\w+|fallecid\w+|herid\w+|desaparecid\w+|evacuad\w+|"
    r"zabit\w+|zgin\w+|rann\w+|ofiar\w*|zagin\w+|ewaku\w+|poran\w+|zahyn\w+)\b"
)

_DAYS: Final = (
    "monday montag lundi lunes poniedzial ponedelni ponedilo",
    "tuesday dienstag mardi martes wtor(?:ek|ku)$ vtornik vivtor",
    "wednesday mittwoch mercredi miercoles srod[aey]$ sred[aue]$ sered[aiu]$",
    "thursday donnerstag jeudi jueves czwart(?:ek|ku)$ chetverg[ua]?$ chetvera?$",
    "friday freitag vendredi viernes piat(?:ek|ku)$ pyatn[iy]ts",
    "saturday samstag sonnabend samedi sabado sobot subbot subot",
    "sunday sonntag dimanche domingo niedziel voskresen nedilyu$",
)
WEEKDAYS: Final = tuple(
    re.compile("^(?:" + "|".join(words.split()) + ")") for words in _DAYS
)  # Monday first, as datetime.weekday()
