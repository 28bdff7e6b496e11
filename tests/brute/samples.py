"""What random rules look for, in fourteen languages and ten scripts, and the forms it takes in texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A term as written in a rule file, and texts that mean it, or almost."""

    language: str  # of its key
    written: Any  # a text, or a map
    forms: tuple[str, ...]


def _of(language: str, written: Any, *forms: str) -> Sample:
    return Sample(language, written, (*([written] if isinstance(written, str) else []), *forms))


def _name(written: str, *forms: str) -> Sample:
    return Sample("", {"name": written}, (written, *forms))


SAMPLES = [
    # Latin
    _of(
        "de",
        "Seltene Erden",
        "seltenen Erden",
        "Seltenerden",
        "Seltene-Erden-Magnete",
        "seltene schwere Erden",
    ),
    _of("de", "Seltenerd*", "Seltenerdmetalle", "Seltenerd", "Seltenerden"),
    _of("de", "*zölle", "Strafzölle", "Sekundär-Zölle", "Zoelle", "Strafzöllen"),
    _of("de", "Sekundär-Zölle", "Sekundärzölle", "Sekundaerzölle", "Sekundär-Zöllen", "Sekundar Zolle"),
    _of("de", "Straße", "Strasse", "STRASSE", "Straßen", "Strasze"),
    _of("de", "Mueller", "Müller", "Muller", "Müllers"),
    _of("en", "rare earth", "rare earths", "Rare-Earth", "rareearths", "rare heavy earths", "raer earth"),
    _of("en", "rare earth metals", "rare-earth metal", "rare earths and metals", "rareearthmetals"),
    _of("en", "earth earth", "earth earths earth", "earthearth", "Earth, earth"),
    _of("en", "tariff", "tariffs", "tarrifs", "tarif", "Tarriff", "tarifs"),
    _of("en", "secondary tariff", "secondary tariffs", "Secundary tarrifs", "tariff secondary"),
    _of("fr", "énergie nucléaire", "énergies nucléaires", "l’énergie nucléaire", "energie nucleaire"),
    _of("pl", "cła wtórne", "ceł wtórnych", "cla wtorne", "cła  wtórne"),
    _of("", "lithium", "Lithium", "lithum", "lithiums"),
    # exact, with signs and without
    _of("en", "=US", "us", "U.S.", "US-", "USA"),
    _of("en", "=US tariff*", "US tariffs", "US tariff*", "us tariff"),
    _of("en", "=C++", "C", "C++17", "(C++)", "C+ +", "c++"),
    _of("en", "=F-16", "F‑16", "F 16", "F-16s", "F-\u00ad16", "XF-16"),
    _of("en", "=.NET 8", ".NET  8", "ASP.NET 8", ".NET\n8", ".NET8"),
    _of("ru", "=РЗМ", "РЗМ.", "рзм", "РЗМы", "Р-З-М"),
    # Cyrillic
    _of(
        "ru",
        "редкоземельный металл",
        "редкоземельных металлов",
        "редкоземельные, металлы",
        "редкоземельный метал",
    ),
    _of("ru", "вторичный тариф", "вторичных тарифов", "вторичныe тарифы", "тариф вторичный"),
    _of("ru", "ещё", "еще", "ЕЩЁ"),
    _of("uk", "рідкісноземельний метал", "рідкісноземельних металів", "рiдкiсноземельнi метали"),
    # Greek, Arabic, Hebrew, Devanagari
    _of("el", "σπάνιες γαίες", "σπάνιων γαιών", "ΣΠΑΝΙΕΣ ΓΑΙΕΣ", "σπανιες γαιες"),
    _of("ar", "معادن نادرة", "المعادن النادرة", "مَعادن نادره", "معادننادرة"),
    _of("he", "מתכות נדירות", "המתכות הנדירות", "מתכת נדירה", "מַתכות נדירות"),
    _of("hi", "दुर्लभ धातु", "दुर्लभ धातुओं", "दुर्लभ-धातु"),
    # scripts without spaces, and Hangul
    _of("zh", "稀土", "中国稀土出口", "稀 土", "稀", "土"),
    _of("zh", "稀土 出口", "稀土出口", "稀土的出口", "出口稀土"),
    _of("zh", "=C919飞机", "C919 飞机", "C919飞", "xC919飞机"),
    _of("ja", "レアアース", "ﾚｱｱｰｽ", "レアアースの輸出", "レア アース", "レアース"),
    _of("ko", "희토류 수출", "희토류를 수출", "희토류수출", "희토류 수"),
    _of("th", "แร่หายาก", "ส่งออกแร่หายาก", "แร่ หายาก", "แร่"),
    _of("zh", "TSMC 台积电", "TSMC台积电", "tsmc的台积电"),
    # patterns
    _of("", {"regex": r"\b\d+ tariffs?\b"}, "100 tariffs", "7 tariff", "7 tariffx", "17  tariffs"),
    _of("", {"regex": r"(?i)rare.earth"}, "rare earth", "RARE-earth", "rare  earth"),
    _of("", {"regex": r"\w+土\w*"}, "稀土", "x土y", "土"),
    _of("", {"regex": r"[€$]"}, "€", "$", "7 $"),
    _of("", {"regex": r"\bметалл\w*"}, "металлов", "редкометалл"),
]
NAMES = [
    _name(
        "Kirill Dmitriev", "Кирилла Дмитриева", "Dmitrijew", "Kirill Dmitrieva", "Kirill A. Dmitriev",
        "K. Dmitriev", "Дмитриевым Кириллом", "Kirill Alexandrowitsch Dmitrijew", "kirilldmitriev",
        "Kirill Dmirtiev", "A. K. Dmitriev", "Kirill Duck Dmitriev", "Kiryła Dmitrijewa", "Дарья Дмитриева",
    ),
    _name(
        "Мантуров", "Мантурова", "Manturow", "Анна Мантурова", "Denisa Manturova", "А. Мантурова",
        "Поездка Мантурова прошла", "Мантурова сняла", "manturov", "Мантуровым", "Denis-Manturov",
    ),
    _name(
        "Donald Trump", "Donald Duck Trumps", "Trump, Donald", "Donald J. Trump", "Дональда Трампа",
        "Donald trumps", "Trump Donald", "donald trump", "Donalda Trumpa", "D. Trump",
    ),
    _name(
        "Ursula von der Leyen", "Ursula v. d. Leyen", "Урсула фон дер Ляйен", "von der Leyen Ursula",
        "URSULA VON DER LEYEN", "Ursula Gertrud von der Leyen", "Ursula von Der Leyens",
    ),
    _name("Steve Witkoff", "Steve'a Witkoffa", "Стива Уиткоффа", "Witkoff Steve", "S. Witkoff", "Witkof"),
    _name("Путин", "Władimira Putina", "wysłannik Putina", "Putin's", "Путина", "Putina", "Puutin"),
    _name("李强", "总理李强", "李 强"),
    _name("Jürgen Müller", "Juergen Mueller", "Jürgen K. Müllers", "J. Müller", "MÜLLER Jürgen", "Muller"),
]  # fmt: skip
SAMPLES += NAMES
FILLERS = (
    "x", "und", "the", "of", "Kirill", "rare", "Erde", "Erden", "tariff", "metals", "7", "Dr.", "K.", "A. B.",
    "из", "металл", "土", "出口", "–", "...", "nein!", "в", "και", "و", "U.S.", "3.", "½", "㍿",
    "e\u0301", "\u200d",
    "ab" * 21, "a-b-c-d-e-f", "#RareEarths", "@KirillDmitriev", "l’", "o'clock", "_x_", "C+", "=",
)  # fmt: skip
REAL_WORDS = frozenset(
    [
        "tarif",
        "erde",
        "erden",
        "zoll",
        "rare",
        "earth",
        "earths",
        "strafzölle",
        "металл",
        "метал",
        "metal",
        "дмитрий",
    ]
)
REAL_BESIDE_ENGLISH_ONLY = frozenset(["seltenerden", "тариф", "sekundar", "lithum", "muller", "tarifs"])
