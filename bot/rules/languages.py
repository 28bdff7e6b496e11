"""Which language a text is in, of the few that the rules speak of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

LEAST_LETTERS = 20  # shorter texts are not told apart well
LEAST_CERTAINTY = 0.8


def language_detector(languages: Collection[str]) -> Callable[[str], str | None]:
    """Return a function that tells a text's language among these; None: too short, or not sure.

    The model is read (a tenth of a second) with the first text.
    """

    @lru_cache(maxsize=1)
    def model() -> LanguageIdentifier:
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(sorted(set(languages) & set(identifier.labels)))
        return identifier

    def detect(text: str) -> str | None:
        if sum(map(str.isalpha, text[:200])) < LEAST_LETTERS:
            return None
        language, certainty = model().classify(text[:2_000])
        return str(language) if certainty >= LEAST_CERTAINTY else None

    return detect
