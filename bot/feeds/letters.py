"""Which encoding makes likely letters of bytes: what no label tells, and which label cannot be true.

A reading is scored by the logarithm of its probability: of each character beyond ASCII by how frequent it is
in a language, of capitals inside words, of alphabets mixed in a word. The bytes are the same in all readings,
so the scores compare. Twenty letters are enough to keep KOI8-R and windows-1251 apart, since each reads the
other's vowels as rare consonants, and its small letters as capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from math import exp, log
from typing import Final, NamedTuple

SAMPLE: Final = 400  # bytes of words; more does not change the verdict
_NEAR: Final = 64 * 1024  # how far from the first byte beyond ASCII they are taken
_NEVER: Final = log(1e-6)  # a character that the language does not use
_HIGH: Final = bytes(range(128, 256))
_BEYOND: Final = re.compile(rb"[\x80-\xff]")
_WORD: Final = re.compile(rb"[^\s<>]+")
_CUBIC: Final = re.compile(rb"(?<=m)[\xb2\xb3](?![A-Za-z\x80-\xff])")  # m², m³: elsewhere a Polish letter
_SIGNS: Final = "«»„“”‘’‚–—…•§°№·€£©®™\xa0\xad"
_MARGIN: Final = 10.0  # how much likelier another reading must be before a label counts as a mistake
_NONSENSE: Final = -5.9  # a byte, at a mean: readings that fit no language are below
_DEFAULT_MARGIN: Final = 4.0  # against ISO-8859-1, which servers tell of anything
_RARE: Final = 1.0  # what the letters have to make good where an encoding is not cp1252 or cp1251
_DIGIT: Final = 4.0  # what a figure beside a letter costs, so that "£5" is no word of Polish
_HINT: Final = 6.0  # what the word of the feed on its language counts

# Letters beyond ASCII, the most frequent first (counted over wordfreq's lists).
_CYRILLIC: Final = {
    "ru": "оеаинтсрвлкмдпуяыгьбзчйжхшюцэщфёъ",
    "uk": "оаніивтерскудлмпзяьбгйчцхжїюшщєфґ",
    "be": "анеіыоцярлсідкувтзпмьбгўчхйжшюэфё",
    "bg": "аоеитнсрвдклмпзяъгбчущжйцхшфью",
    "sr": "аоеинртсвдукмпљбгзјлшчжцхћњђџф",
    "mk": "аоеитнсрвдкмлпугјзбшчцжќфњѓхџљѕ",
}
_LATIN: Final = {
    "en": "’“”–£—é…‘öüñ",
    "de": "üäößé",
    "fr": "éàèêçôâîùûœïëüÿæ",
    "es": "óíáéñúüªº¡¿",
    "pt": "ãéçáíêóúõàâôªºü",
    "it": "èàùòéìóíº",
    "ca": "éóàíèòçúïü",
    "nl": "éëïèóüöá",
    "sv": "äöåéü",
    "da": "åøæéü",
    "is": "ðíáþóæöúéý",
    "fo": "áíøóæúðýö",
    "pl": "łężąóśćńź",
    "cs": "íáěžřéčšýůúňďťó",
    "sk": "ážčýíšéúťľôňďóäĺŕ",
    "hu": "éáöóőüíúű",
    "ro": "ășîțâşţ",
    "sh": "ščžćđ",
    "sl": "čšž",
    "tr": "ıüşçğöâîû",
    "lt": "ėųšžąįūčę",
    "lv": "āīēšūņļžķģč",
    "et": "äõüöšž",
}
_OTHERS: Final = {
    "el": "ατοσιενρπκμηυλίάόέγδωήχθύφώβξζψϊϋΐΰ",
    "he": "יוהלאתרבמשנעםדכחקפסגןצזטךףץ",
    "fa": "ايرندهومبتسکشلزفخگعقجحپآچطصضغظذثئكژأىءؤة،؟",
    "ar": "اليمنورتعبدةهفكسأقحجىشصطخذإضثزغئءظآؤ،؟",
    "th": "านรอกเงมยลวดทสตะปบคหแจพชขใไโผซถศธณภฟฉฐญษ่้ิีัืุู็์ำึๆ",
}
_HIRAGANA: Final = (
    "のいてなにたしでるとはがかっをすもうんれまだこりくあよさけきそどえわちらつねせみめろょじばゃべげおごやず"
)
_KATAKANA: Final = (
    "ンスイトルッラリクアタドレロシカマジフプコメバムテチキグサブャオニデパィナウビエュダミヘセ"
    "ツズヒハヤー、。「」・"
)
_KANJI: Final = (
    "人日大本出見一分時事中言思年行間気生自方上会子今前者的入月手国作合来何全最場動用目後学話定"
    "当理高感性部地回新"
)
_HANGUL: Final = (
    "이다는에하고가을지의로서은아한어도기사니있를나해리시그요인들자일게대라으스수만보제면정주전부여거과장했상안마구었데오"
    "야내원우신적것성국되세위와무할동생소트드모미진문중말화공까러비습간없분조저입개터유계치월같경회선년때연실바음관용더"
    "명학네영교당작좋방려않합래발건된단재며각운금람행남물알차등통번르던두타후프겠체크랑식히너산역버임호포예결반잘님함심"
)
_HANZI: Final = (
    "的是一在不人有了我国这为中个大会们他来和年上以要到时对么能你就发可地生家出也说于学后成与过行用日多自现都没作下得"
    "开经还法动好方而公子事分之民主里政看吗本月所天新业同全定部最其进如前机美那当工关实小被但因长样理等什道去些面很心"
    "间区内电然力起体只着从并者高加想文问种员重及点将意合产三外由市无女已制网第情场名应西代正表真此位题相明资计建利"
)
_HANZI_TRADITIONAL: Final = (
    "的是一在不人有了我國這為中個大會們他來和年上以要到時對麼能你就發可地生家出也說於學後成與過行用日多自現都沒作下得"
    "開經還法動好方而公子事分之民主裡政看嗎本月所天新業同全定部最其進如前機美那當工關實小被但因長樣理等什道去些面很心"
    "間區內電然力起體只著從並者高加想文問種員重及點將意合產三外由市無女已制網第情場名應西代正表真此位題相明資計建利"
)
_WIDE: Final = frozenset({"zh", "zh-hant", "ja", "ko"})
_CJK_SIGNS: Final = "、。，「」《》：；！？（）【】・～“”…"

# What a byte may mean, the likelier encoding first where two read the same, and for which languages.
_READINGS: Final = {
    "cp1252": ("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "ca", "is", "fo"),
    "cp1251": ("ru", "uk", "bg", "be", "sr", "mk"),
    "cp1250": ("pl", "cs", "hu", "ro", "sk", "sh", "sl"),
    "iso8859-2": ("pl", "cs", "hu", "ro", "sk", "sh", "sl"),
    "koi8-r": ("ru",),
    "koi8-u": ("uk",),
    "iso8859-5": ("ru", "uk", "bg", "be", "sr", "mk"),
    "cp866": ("ru", "be"),
    "cp1253": ("el",),
    "iso8859-7": ("el",),
    "cp1254": ("tr",),
    "cp1255": ("he",),
    "cp1256": ("ar", "fa"),
    "iso8859-6": ("ar",),
    "cp1257": ("lt", "lv", "et"),
    "cp874": ("th",),
    "gb18030": ("zh",),
    "big5hkscs": ("zh-hant",),
    "cp932": ("ja",),
    "euc_jp": ("ja",),
    "cp949": ("ko",),
}
_COMMON: Final = frozenset({"cp1252", "cp1251"})
_SAME_LETTERS: Final = {"cp1252": {"iso8859-15", "iso8859-1"}, "cp1255": {"iso8859-8"}}
_KIN: Final = {"nb": "da", "nn": "da", "no": "da", "fi": "sv", "hr": "sh", "bs": "sh", "gl": "pt"}


class Guess(NamedTuple):
    """A reading of a sample, and its mean logarithm of probability a byte."""

    encoding: str
    score: float
    mean: float


def sample_words(body: bytes) -> bytes:
    """Return words with bytes beyond ASCII, about SAMPLE bytes of them, from where they begin.

    White space and angle brackets are no part of a character in any encoding that ASCII is a part of.
    """
    first = _BEYOND.search(body)
    if first is None:
        return b""
    near = body[max(first.start() - 40, 0) : first.start() + _NEAR]
    words, room = [], SAMPLE
    for found in _WORD.finditer(near):
        word = found[0] if found[0].isascii() else _CUBIC.sub(b"", found[0])
        if not word.isascii():
            words.append(word[:SAMPLE])
            room -= len(word)
        if room <= 0:
            break
    return b" ".join(words)


def best_reading(sample: bytes, language: str) -> Guess | None:
    """Return the likeliest reading of some words; None where none makes sense in any language we know.

    Args:
        sample: As from `sample_words`.
        language: What the feed says of itself, such as "pt-BR"; "" where it does not. Counts as a hint only.
    """
    guesses = [guess for encoding in _READINGS if (guess := _guess(sample, encoding, language))]
    best = max(guesses, key=lambda guess: guess.score, default=None)
    return best if best is not None and best.mean > _NONSENSE else None


def is_mistaken(sample: bytes, told: str, language: str) -> bool:
    """Tell whether another reading is so much likelier that the label cannot be true.

    False in doubt, and for encodings whose letters are not known here.
    """
    known = next((name for name, same in _SAME_LETTERS.items() if told in same), told)
    claimed = _guess(sample, known, language)
    if claimed is None:
        return False
    best = best_reading(sample, language)
    margin = _DEFAULT_MARGIN if known == "cp1252" else _MARGIN
    return best is not None and best.score - claimed.score > margin


def _guess(sample: bytes, encoding: str, language: str) -> Guess | None:
    """Return how likely a reading is in the language that suits it best; None where we cannot tell."""
    if encoding not in _READINGS:
        return None
    text = sample.decode(encoding, "replace")
    length = len(sample) - len(sample.translate(None, _HIGH))
    tag = language.lower()
    scores = (
        _score(text, tongue) + (_HINT if _speaks(tag, tongue) else 0.0) for tongue in _READINGS[encoding]
    )
    score = max(scores) - (0.0 if encoding in _COMMON else _RARE)
    return Guess(encoding, score, score / max(length, 1))


def _speaks(tag: str, tongue: str) -> bool:
    head = tag.partition("-")[0].partition("_")[0]
    if head == "zh":
        return tongue == ("zh-hant" if re.search("hant|tw|hk|mo", tag[2:]) else "zh")
    return _KIN.get(head, head) == tongue


def _score(text: str, tongue: str) -> float:
    """Return the logarithm of the probability of a text's characters beyond ASCII."""
    weights = _weights(tongue)
    is_latin, is_alphabet = tongue in _LATIN, tongue not in _WIDE
    total, before, run = 0.0, " ", 0
    for character in text:
        if character <= "\x7f":
            if run and is_alphabet and character.isdigit():
                total -= _DIGIT
            run = 0
        else:
            total += weights.get(character, _NEVER)
            run = run + 1 if character.isalpha() else 0
            if run and is_alphabet:
                total += _cost_of_place(character, before, run, is_latin)
        before = character
    return total


def _cost_of_place(character: str, before: str, run: int, is_latin: bool) -> float:
    """Return what a letter costs for where it stands: capitals in a word, accents side by side, figures."""
    cost = 0.0
    if character.isupper():
        cost += 1.8 if before.isupper() else -4.0 if before.islower() else 0.0
    if is_latin:
        cost -= min(run - 1, 3) * 1.5
    elif before.isascii() and before.isalpha():
        cost -= 3.0
    return cost - _DIGIT if before.isdigit() and before.isascii() else cost


@cache
def _weights(tongue: str) -> dict[str, float]:
    """Return the logarithm of each character's probability among those beyond ASCII."""
    if tongue in _WIDE:
        return {sign: log(share / len(group)) for group, share in _wide(tongue) for sign in group}
    letters = _CYRILLIC.get(tongue) or _OTHERS.get(tongue) or _LATIN[tongue]
    signs = 0.02 if tongue in _LATIN else 0.004
    weights = dict.fromkeys(_SIGNS, log(signs))
    slope = max(len(letters) / 3.6, 1.5)
    for rank, letter in enumerate(letters):
        likely = max(exp(-rank / slope) / slope, 0.0004)
        weights.setdefault(letter.upper(), log(likely / 6))
        weights[letter] = log(likely)
    return weights


def _characters(encoding: str, first: int, last: int, trails: range) -> str:
    """Return what the two-byte characters of some rows of a table are."""
    rows = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in trails)
    return "".join(row.decode(encoding, "ignore") for row in rows)


def _wide(tongue: str) -> Iterator[tuple[str, float]]:
    """Return the characters of a script of thousands, group by group, and the share of all text each has.

    The first rows of the national standards hold the characters of daily use.
    """
    full = range(0xA1, 0xFF)
    if tongue == "ko":
        yield _characters("euc_kr", 0xB0, 0xC8, full), 0.25
        yield _HANGUL, 0.7
    elif tongue == "ja":
        yield _characters("euc_jp", 0xB0, 0xCF, full), 0.2
        yield from ((_KANJI, 0.12), (_KATAKANA, 0.2), (_HIRAGANA, 0.4))
    elif tongue == "zh":
        yield _characters("gb2312", 0xD8, 0xF7, full), 0.02
        yield _characters("gb2312", 0xB0, 0xD7, full), 0.4
        yield from ((_HANZI, 0.47), (_CJK_SIGNS, 0.1))
    else:
        yield _characters("big5", 0xA4, 0xC6, range(0x40, 0xFF)), 0.4
        yield from ((_HANZI_TRADITIONAL, 0.47), (_CJK_SIGNS, 0.1))
