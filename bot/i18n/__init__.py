"""The words people read, in their language: English in the code, the others in `<language>.po` beside it.

The catalogues are compiled in memory at first use, so that no binary file needs to be kept in step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE = "en"
LANGUAGES = ("de", SOURCE)

_MINUTE = timedelta(minutes=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language; implements `core.render.Texts`."""

    language: str
    locale: Locale = field(repr=False)
    translations: NullTranslations = field(repr=False)

    def gettext(self, message: str) -> str:
        """Return the English message in this language."""
        return self.translations.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the form of the message that goes with the number."""
        return self.translations.ngettext(singular, plural, number)

    def number(self, value: float) -> str:
        """Return the number as this language writes it."""
        return format_decimal(value, locale=self.locale)

    def age(self, moment: datetime, now: datetime) -> str:
        """Return how long ago that was, for people; a date when it is longer than a week."""
        passed = now - moment
        if passed < _MINUTE:
            return self.gettext("just now")
        if passed > _WEEK:
            return format_date(moment, format="medium", locale=self.locale)
        return format_timedelta(-passed, add_direction=True, threshold=1, locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Return date and time, UTC, for people."""
        date = format_date(moment, format="medium", locale=self.locale)
        return f"{date}, {format_time(moment, format='short', locale=self.locale)} UTC"


def texts(language: str) -> Catalogue:
    """Return the texts of a language tag such as `de` or `de-AT`; English where we have no catalogue."""
    short = language.replace("_", "-").split("-", 1)[0].lower()
    return _catalogue(short if short in LANGUAGES else SOURCE)


@cache
def _catalogue(language: str) -> Catalogue:
    return Catalogue(language, Locale.parse(language), _translations(language))


def _translations(language: str) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    with (files(__package__) / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
