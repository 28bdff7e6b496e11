"""The tables of rules.md, made of the models, the register of codes and the stemmers.

`python docs/tables.py` writes them anew between their markers; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from babel import Locale
from ruamel.yaml import YAML

from bot.core.stems import STEMMERS, has_stemmer, stem
from bot.rules import json_schema
from bot.rules.codes import CODES
from bot.rules.lint import SPACELESS, UNINFLECTED
from bot.rules.models import FORMS

HERE: Final = Path(__file__).parent
PAGE: Final = HERE / "rules.md"
INFLECTIONS: Final = HERE.parent / "tests" / "golden" / "inflections.yaml"
_TABLE: Final = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_NAMED: Final = (  # languages of many news without a stemmer
    "be", "bg", "bn", "bs", "cy", "he", "hr", "is", "ka", "kk", "lv", "mk", "ms", "sk", "sl", "sq", "ur",
    "vi",
)  # fmt: skip


def written_anew(page: str) -> str:
    """Return the page with its tables as they are today."""
    return _TABLE.sub(lambda found: found[1] + "\n".join(TABLES[found[2]]()) + "\n" + found[3], page)


# ---- keys --------------------------------------------------------------------------------------


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _keys(model: str) -> Callable[[], Iterator[str]]:
    def table() -> Iterator[str]:
        schema = json_schema()
        found = schema if model == "RuleFile" else schema["$defs"][model]
        required = found.get("required", ())
        yield from _rows(
            ("key", "type", "default", "meaning"),
            (
                (f"`{key}`", kind_of(prop), _default(prop, key in required), prop["description"].rstrip("."))
                for key, prop in sorted(found["properties"].items(), key=lambda pair: pair[0] not in required)
            ),
        )

    return table


def kind_of(prop: dict[str, Any]) -> str:
    """Return in words what a key takes."""
    if "$ref" in prop:
        return "expression" if prop["$ref"].endswith("/Expression") else "map, see below"
    if "anyOf" in prop:
        kinds = [kind_of(option) for option in prop["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in prop:
        return "language" if "zu" in prop["enum"] else ", ".join(f"`{value}`" for value in prop["enum"])
    if "const" in prop:
        return f"`{prop['const']}`"
    if isinstance(prop["type"], list):
        return "duration"
    return _KINDS[prop["type"]](prop)


def _map(prop: dict[str, Any]) -> str:
    return "map of texts by language" if "additionalProperties" in prop else "map of expressions by name"


def _text(prop: dict[str, Any]) -> str:
    pattern = str(prop.get("pattern", ""))
    return "slug" if pattern.startswith("^[a-z0-9]") else "tag" if pattern else "text"


def _range(prop: dict[str, Any]) -> str:
    least, most = prop.get("minimum"), prop.get("maximum")
    above = prop.get("exclusiveMinimum")
    noun = "whole number" if prop["type"] == "integer" else "number"
    parts = [f"over {above:g}" if above is not None else "", f"from {least:g}" if least is not None else ""]
    parts.append(f"to {most:g}" if most is not None else "")
    return " ".join([noun, *filter(None, parts)])


_KINDS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "array": lambda prop: f"list of {kind_of(prop['items'])}",
    "object": _map,
    "number": _range,
    "integer": _range,
    "boolean": lambda _: "`true`, `false`",
    "string": _text,
}


def _default(prop: dict[str, Any], is_required: bool) -> str:
    value = prop.get("default")
    if is_required:
        return "required"
    if isinstance(value, list) and value:
        return ", ".join(f"`{one}`" for one in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"{value:g}"
    return f"`{value}`" if isinstance(value, str) and value else ""


def _form_keys() -> Iterator[str]:
    schema = json_schema()["$defs"]
    rows = []
    for form in dict.fromkeys(FORMS.values()):
        found = schema[form.__name__]
        lead = next(key for key in FORMS if FORMS[key] is form)
        for key, prop in found["properties"].items():
            if key != "in":
                default = _default(prop, key in found.get("required", ()))
                rows.append(
                    (f"`{lead}:`", f"`{key}`", kind_of(prop), default, prop["description"].rstrip("."))
                )
    return _rows(("form", "key", "type", "default", "meaning"), rows)


# ---- codes -------------------------------------------------------------------------------------


def _codes(letter: str) -> Callable[[], Iterator[str]]:
    def table() -> Iterator[str]:
        every = (code for code in CODES.values() if code.code.startswith(letter))
        yield from _rows(("code", "says", "cure"), ((code.code, code.meaning, code.cure) for code in every))

    return table


# ---- languages ---------------------------------------------------------------------------------


def found_forms() -> dict[str, tuple[int, int]]:
    """Return for each measured language how many forms of the sample nouns their first form finds."""
    sample = YAML(typ="safe").load(INFLECTIONS.read_text(encoding="utf-8"))
    counted = {}
    for language, nouns in sample.items():
        pairs = [(noun.split()[0], form) for noun in nouns for form in noun.split()[1:]]
        same = sum(stem(first, language) == stem(form, language) for first, form in pairs)
        counted[language] = same, len(pairs)
    return counted


def _languages() -> Iterator[str]:
    names = Locale("en").languages
    counted = found_forms()
    keys = sorted({*STEMMERS, "uk", *SPACELESS, *_NAMED}, key=lambda key: names.get(key, key))
    rows = []
    for key in keys:
        same, every = counted.get(key, (0, 0))
        share = f"{same} of {every}" if every else ""
        rows.append((names.get(key, key), f"`{key}`", _stemmer(key), share, _advice(key, same, every)))
    return _rows(("language", "key", "endings known by", "forms found", "write"), rows)


def _stemmer(key: str) -> str:
    if key in SPACELESS | UNINFLECTED:
        return "needs none"
    return "our own rules" if key == "uk" else "Snowball" if has_stemmer(key) else "nothing"


def _advice(key: str, same: int, every: int) -> str:
    if key in SPACELESS:
        return "the word as it is; it is found anywhere, without borders"
    if key in UNINFLECTED:
        return "the word as it is; it has no endings"
    if not has_stemmer(key):
        return "wildcards (`word*`), or every form"
    if not every:
        return "the dictionary form; not measured"
    if same >= 0.9 * every:
        return "the dictionary form"
    if same >= 0.5 * every:
        return "the dictionary form, and forms with another stem beside it"
    return "wildcards, or every form: the stemmer is weak"


TABLES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "keys of a file": _keys("RuleFile"),
    "keys of a topic": _keys("TopicModel"),
    "keys of sources": _keys("Sources"),
    "keys of spike": _keys("Spike"),
    "keys of tests": _keys("InlineTests"),
    "keys of a test": _keys("InlineItem"),
    "keys of forms": _form_keys,
    "errors": _codes("E"),
    "warnings": _codes("W"),
    "languages": _languages,
}


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
