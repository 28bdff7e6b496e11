"""Made-up feeds for measuring polling: RSS and Atom in twelve languages, each always the same.

They are like those of newspapers: 30 items in 50 KB, a title of 6 to 14 words, a summary in HTML with a link
and a picture, tracking parameters in the links, authors, categories, and in every third feed the text in full
beside the summary. One title in 200 is of the shipped topics' field.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from itertools import accumulate
from typing import Final

from wordfreq import get_frequency_dict

LANGUAGES: Final = ("de", "en", "ru", "fr", "es", "it", "pl", "uk", "pt", "tr", "zh", "ja")
SIZE: Final = 50_000  # bytes
ITEMS: Final = 30
_SPACELESS: Final = {"zh", "ja"}
_SENTENCES: Final = 400  # of a language, of which texts are made
_OF_THE_FIELD: Final = 200  # one item in so many
_FIELD: Final = {
    "de": "Seltene Erden: Werke warten auf Ausfuhrgenehmigungen",
    "en": "Rare earth magnets are held up at the port",
    "ru": "Редкоземельные металлы подорожали на четверть",
    "zh": "稀土出口许可证仍未发放",
}
_HEAD_RSS: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/">\n'
)


@dataclass(frozen=True, slots=True)
class _Words:
    """A language's words with their accumulated frequencies, and sentences made of them."""

    words: list[str]
    weights: list[float]
    glue: str
    sentences: list[str]

    def some(self, dice: random.Random, least: int, most: int) -> str:
        drawn = dice.choices(self.words, cum_weights=self.weights, k=dice.randint(least, most))
        return self.glue.join(drawn).capitalize()


@cache
def _words(language: str) -> _Words:
    frequencies = get_frequency_dict(language, wordlist="small")
    glue = "" if language in _SPACELESS else " "
    found = _Words(list(frequencies), list(accumulate(frequencies.values())), glue, [])
    dice = random.Random(language)  # noqa: S311 - the same texts each time
    found.sentences.extend(f"{found.some(dice, 8, 24)}." for _ in range(_SENTENCES))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str  # in links and guids
    title: str
    summary: str  # HTML
    content: str  # HTML; empty: the feed has summaries alone
    tags: tuple[str, ...]
    author: str
    at: datetime

    @property
    def link(self) -> str:
        return f"https://news.example/{self.name}.html?utm_source=feed&utm_medium=rss&id={len(self.title)}"


def a_feed(number: int, newest: datetime, *, news: int = 0, size: int = SIZE, items: int = ITEMS) -> bytes:
    """Return a feed's bytes, of about this size.

    Args:
        newest: When its first item was published.
        news: So many items are new, against the feed with none; as many old ones have left.
    """
    language = LANGUAGES[number % len(LANGUAGES)]
    gap = timedelta(minutes=20 + number % 160)
    entries = [
        _entry(number, nth, language, newest - gap * place, size // items)
        for place, nth in enumerate(range(news, news - items, -1))
    ]
    title = f"{_words(language).sentences[number % _SENTENCES][:24]} {number}"
    draw = _atom if number % 3 == 2 else _rss
    return draw(title, language, number, entries).encode()


def _entry(number: int, nth: int, language: str, at: datetime, size: int) -> _Entry:
    dice = random.Random(f"{number}/{nth}")  # noqa: S311 - the same item each time
    words = _words(language)
    title = words.some(dice, 6, 14)
    if dice.randrange(_OF_THE_FIELD) == 0:
        title = f"{_FIELD.get(language, _FIELD['en'])}: {title}"
    text = _paragraphs(words, dice, size - 760 - 2 * len(title.encode()))
    picture = f'<img src="https://pictures.example/{number}/{nth}.jpg" alt="" width="640" height="360"/>'
    is_full = number % 3 == 0
    summary = f'<p>{picture}</p><p>{text[0]}</p><p><a href="https://news.example/{number}">…</a></p>'
    return _Entry(
        name=f"{number}/{nth + 10_000}-{'-'.join(map(str, dice.choices(range(10_000), k=4)))}",
        title=title,
        summary=summary if is_full else summary + "".join(f"<p>{one}</p>" for one in text[1:]),
        content="".join(f"<p>{one}</p>" for one in text[1:]) if is_full else "",
        tags=tuple(dice.choices(words.words[:2_000], k=2)),
        author=words.some(dice, 2, 2),
        at=at,
    )


def _paragraphs(words: _Words, dice: random.Random, size: int) -> list[str]:
    """Return paragraphs of so many bytes in all, at least one."""
    found: list[str] = []
    while size > 0 or not found:
        one = " ".join(dice.choices(words.sentences, k=2)) if found else dice.choice(words.sentences)
        size -= len(one.encode()) + 7
        found.append(one)
    return found


def _rss(title: str, language: str, number: int, entries: list[_Entry]) -> str:
    inner = "".join(
        f"<item><title>{escape(one.title)}</title><link>{escape(one.link)}</link>"
        f'<guid isPermaLink="false">tag:news.example,{one.name}</guid>'
        f"<pubDate>{format_datetime(one.at)}</pubDate><dc:creator><![CDATA[{one.author}]]></dc:creator>"
        + "".join(f"<category><![CDATA[{tag}]]></category>" for tag in one.tags)
        + f"<description><![CDATA[{one.summary}]]></description>"
        + (f"<content:encoded><![CDATA[{one.content}]]></content:encoded>" if one.content else "")
        + f'<media:thumbnail url="https://pictures.example/{one.name}.jpg" width="144" height="81"/></item>\n'
        for one in entries
    )
    head = (
        f"<title>{escape(title)}</title><link>https://news.example/{number}</link>"
        f"<description>{escape(title)}</description><language>{language}</language><ttl>10</ttl>\n"
    )
    return f"{_HEAD_RSS}<channel>{head}{inner}</channel></rss>\n"


def _atom(title: str, language: str, number: int, entries: list[_Entry]) -> str:
    inner = "".join(
        f"<entry><id>tag:news.example,{one.name}</id><title>{escape(one.title)}</title>"
        f'<link rel="alternate" href="{escape(one.link)}"/><published>{one.at.isoformat()}</published>'
        f"<updated>{one.at.isoformat()}</updated><author><name>{escape(one.author)}</name></author>"
        + "".join(f'<category term="{escape(tag)}"/>' for tag in one.tags)
        + f'<summary type="html">{escape(one.summary)}</summary>'
        + (f'<content type="html">{escape(one.content)}</content>' if one.content else "")
        + "</entry>\n"
        for one in entries
    )
    head = (
        f"<id>tag:news.example,{number}</id><title>{escape(title)}</title>"
        f'<updated>{entries[0].at.isoformat()}</updated><link href="https://news.example/{number}"/>\n'
    )
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{feed}{head}{inner}</feed>\n'
