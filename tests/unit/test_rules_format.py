"""The rule format, form by form and key by key: what each finds, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import FeedId, Item, TopicId
from tests.unit.rule_sets import report_of, rules_about, rules_of, topics_in

# match · titles that are found · titles that are not
FORMS = {
    "inflections of the key's language": (
        "{en: [rare earth]}",
        ["rare earths", "Rare-Earth"],
        ["rare birds"],
    ),
    "the article's language plays no part": ("{ru: [санкция]}", ["санкциями", "EU: санкции"], ["sanction"]),
    "a typo": ("{en: [tariff]}", ["tarrifs"], ["tarmac"]),
    "no typo with fuzzy off": ("{en: [{term: tariff, fuzzy: off}]}", ["tariffs"], ["tarrifs"]),
    "a stricter typo": ("{en: [{term: tariff, fuzzy: 95}]}", ["tariff"], ["tairff"]),
    "a word of four letters has no typo": ("{en: [gold]}", ["gold"], ["golt"]),
    "a wildcard at the end": ("{de: [Seltenerd*]}", ["Seltenerdmetalle"], ["Selteneres"]),
    "a wildcard at the beginning": ('{de: ["*zölle"]}', ["Strafzölle", "Strafzoelle"], ["Zöllner"]),
    "exactly this": ("[=РЗМ]", ["РЗМ"], ["рзм", "РЗМы"]),
    "exactly these signs": ("[=C++]", ["C++ 26"], ["C", "c++"]),
    "no word borders": ("{zh: [稀土]}", ["中国限制稀土出口"], ["稀有"]),
    "a name": ("{name: Kirill Dmitriev}", ["Dmitrijew Kirill", "Кириллом Дмитриевым"], ["Kirill Dmitrieva"]),
    "foreign words between": ("{en: [rare earth]}", ["rare heavy earth"], ["rare a b c earth"]),
    "no foreign words between": ("{en: [{term: rare earth, slop: 0}]}", ["rare earth"], ["rare red earth"]),
    "no end of a sentence between": ("{en: [rare earth]}", ["rare earth"], ["That is rare. Earth shakes"]),
    "accents and digraphs": ("{de: [Zölle]}", ["ZOELLE", "Zo\u0308lle"], ["Ziffer"]),
    "a list": ("[=A1, =B2]", ["A1", "B2"], ["C3"]),
    "languages": ("{en: [tariff], de: [Zoll]}", ["tariff", "Zölle"], ["taxi"]),
    "any": ("{any: [=A1, =B2]}", ["A1", "B2"], ["C3"]),
    "any of languages": ("{any: {en: [tariff], de: [Zoll]}}", ["tariffs", "Zölle"], ["taxi"]),
    "all": ("{all: [=A1, =B2]}", ["B2 and A1"], ["A1", "B2"]),
    "not": ("{all: [=A1, {not: =B2}]}", ["A1"], ["A1 and B2", "C3"]),
    "not of several": ("{all: [=A1, {not: [=B2, =C3]}]}", ["A1"], ["A1 B2", "A1 C3"]),
    "at least": ("{at_least: 2, of: [=A1, =B2, =C3]}", ["A1 C3", "C3 B2 A1"], ["A1", "A1 A1"]),
    "at least: languages of one term are one": (
        "{at_least: 2, of: {en: [lithium], de: [Lithium, Nickel]}}",
        ["lithium nickel"],
        ["lithium"],
    ),
    "near": ("{near: [=A1, =B2], within: 2}", ["A1 x B2", "B2 A1"], ["A1 x y z B2", "A1"]),
    "near in order": ("{near: [=A1, =B2], within: 2, ordered: true}", ["A1 x B2"], ["B2 A1"]),
    "near within nothing": ("{near: [=A1, =B2], within: 0}", ["A1 B2"], ["A1 x B2"]),
    "near of lists": ("{near: [[=A1, =B2], {en: [tariff]}], within: 3}", ["B2 tariffs"], ["A1 B2"]),
    "near of names": ("{near: [{name: Denis Manturov}, =A1]}", ["A1: Denis Manturow"], ["Denis Manturov"]),
    "a pattern": (r"{regex: '\bA\d{3}\b'}", ["A320", "der A380."], ["a320", "A3200", "ÄA320"]),
    "a pattern without case": ("{regex: '(?i)boeing'}", ["BOEING"], ["Airbus"]),
    "a pattern's letters of all alphabets": (r"{regex: 'A\w+'}", ["Aй"], ["A!"]),
    "weight: one is not enough": ("[{term: =A1, weight: 0.4}, =B2]", ["B2"], ["A1"]),
    "weight: two are": ("[{term: =A1, weight: 0.4}, {term: =B2, weight: 0.4}]", ["A1 B2"], ["A1"]),
    "weight of names and patterns": (
        "[{name: Manturov, weight: 0.4}, {regex: 'B2', weight: 0.4}]",
        ["Manturov B2"],
        ["Manturov", "B2"],
    ),
    "in": ("{en: [tariff], in: [summary]}", [], ["tariff"]),
    "in: the inner one wins": ("{any: [{term: =A1, in: [title]}, =B2], in: [summary]}", ["A1"], ["B2"]),
    "nested": ("{all: [[=A1, {all: [=B2, =C3]}], {not: =D4}]}", ["A1", "B2 C3"], ["B2", "A1 D4"]),
}


@pytest.mark.parametrize(("match", "found", "left"), FORMS.values(), ids=FORMS)
def test_a_form_finds_what_it_says(tmp_path: Path, match: str, found: list[str], left: list[str]) -> None:
    rules = rules_about(tmp_path, match)

    assert [title for title in found if topics_in(rules, title) != ["a"]] == []
    assert [title for title in left if topics_in(rules, title) != []] == []


@pytest.mark.parametrize(
    "form",
    [
        "{any: [=A1]}", "{all: [=A1]}", "{at_least: 1, of: [=A1]}", "{near: [=A1, =A1]}", "{use: one}",
        "{regex: 'A1'}", "{term: =A1}", "{name: Manturov}", "{en: [=A1]}", "{all: [=A1, {not: =B2}]}",
    ],
)  # fmt: skip
def test_in_speaks_for_any_mapping(tmp_path: Path, form: str) -> None:
    narrow = form.removesuffix("}") + ", in: [content]}"
    text = f"version: 1\nlists: {{one: [=A1]}}\ntopics: [{{id: a, title: A, match: {narrow}}}]\n"
    rules = rules_of(tmp_path, text)
    words = "A1 A1 Manturov"

    assert rules.match(Item(feed_id=FeedId("f"), content=words))
    assert not rules.match(Item(feed_id=FeedId("f"), title=words, summary=words))


@pytest.mark.parametrize("field", ["title", "summary", "content", "author", "url", "source", "categories"])
def test_where_names_the_fields_that_are_searched(tmp_path: Path, field: str) -> None:
    text = f"version: 1\ntopics: [{{id: a, title: A, where: [{field}], match: {{en: [lithium]}}}}]\n"
    rules = rules_of(tmp_path, text)
    items = {
        "title": Item(feed_id=FeedId("f"), title="lithium"),
        "summary": Item(feed_id=FeedId("f"), summary="lithium"),
        "content": Item(feed_id=FeedId("f"), content="lithium"),
        "author": Item(feed_id=FeedId("f"), author="lithium"),
        "url": Item(feed_id=FeedId("f"), url="https://example.org/lithium"),
        "source": Item(feed_id=FeedId("f"), outlet="Lithium"),
        "categories": Item(feed_id=FeedId("f"), categories=("Lithium",)),
    }

    assert [name for name, item in items.items() if rules.match(item)] == [field]


def topic(keys: str) -> str:
    return f"version: 1\ntopics:\n  - id: a\n    title: A\n    match: {{en: [rare earth]}}\n    {keys}\n"


def test_ignore_covers_up_and_leaves_the_hit_beside_it(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, topic("ignore: {en: [rare Earth-sized planet]}"))

    assert topics_in(rules, "A rare Earth-sized planet") == []
    assert topics_in(rules, "A rare Earth-sized planet with rare earths") == ["a"]


def test_unless_drops_the_whole_item(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, topic("unless: {en: [rock band]}"))

    assert topics_in(rules, "rare earths and a rock band") == []
    assert topics_in(rules, "rare earths and rock") == ["a"]


@pytest.mark.parametrize(("score", "found"), [(82, ["a"]), (83, []), (0, ["a"])])
def test_min_score_is_the_least_score(tmp_path: Path, score: int, found: list[str]) -> None:
    rules = rules_of(
        tmp_path, topic(f"min_score: {score}").replace("[rare earth]", "[rare earth, lanthanum]")
    )

    assert topics_in(rules, "rare earth") == found


def test_fuzzy_of_a_topic_speaks_for_its_terms_and_a_terms_own_wins(tmp_path: Path) -> None:
    match = "[{term: tariff}, {term: sanction, fuzzy: 80}]"
    rules = rules_of(tmp_path, topic("fuzzy: off").replace("{en: [rare earth]}", f"{{en: {match}}}"))

    assert topics_in(rules, "tarrifs") == []
    assert topics_in(rules, "sanktions") == ["a"]


SOURCES = [
    ("allow: [example.org]", True, False),
    ("allow: [example.org, f2]", True, True),
    ("deny: [example.org]", False, True),
    ("allow: [example.org], deny: [news.example.org]", False, False),
    ("allow: [org], deny: [f2]", True, False),
]


@pytest.mark.parametrize(("sources", "first", "second"), SOURCES, ids=[keys for keys, _, _ in SOURCES])
def test_sources_tell_domains_and_feeds_and_deny_wins(
    tmp_path: Path, sources: str, first: bool, second: bool
) -> None:
    rules = rules_of(tmp_path, topic(f"sources: {{{sources}}}"))
    items = [
        Item(feed_id=FeedId("f1"), title="rare earth", url="https://news.example.org/1"),
        Item(feed_id=FeedId("f2"), title="rare earth", url="https://example.com/1"),
    ]

    assert [bool(rules.match(item)) for item in items] == [first, second]


def test_every_key_of_a_topic_is_read(tmp_path: Path) -> None:
    keys = (
        "description: D\n    owner: O\n    references: [R]\n    level: info\n    tags: [t_1, ü]\n"
        "    spike: {min_stories: 3, within: 2h, factor: 2.5, baseline: 1w}\n    cooldown: 1d12h"
    )

    read = rules_of(tmp_path, topic(keys)).topics[TopicId("a")]

    assert (read.description, read.level.name, read.tags) == ("D", "INFO", ("t_1", "ü"))
    assert read.cooldown.total_seconds() == 36 * 3_600


def test_by_names_the_term_that_must_do_it(tmp_path: Path) -> None:
    tests = (
        "tests: {match: [{title: rare earth, by: rare earth}, {title: rare earth, by: lanthanum, why: x}]}"
    )

    problems = report_of(tmp_path, topic(tests)).problems

    assert [problem.message for problem in problems] == [
        "`a` should match: 'rare earth': score 82.3 by `rare earth` as 'rare earth' in title (100); "
        "not by `lanthanum`"
    ]


@pytest.mark.parametrize("key", ["summary", "content"])
def test_a_test_may_have_more_than_a_title(tmp_path: Path, key: str) -> None:
    tests = f"tests: {{match: [{{{key}: rare earth, lang: en, source: example.org, url: 'https://x.org/'}}]}}"

    assert report_of(tmp_path, topic(tests)).problems == ()


def test_lists_use_lists_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "z.yaml").write_text("version: 1\nlists:\n  all: [{use: light}, =Y9]\n")
    (tmp_path / "y.yaml").write_text("version: 1\nlists:\n  light: {en: [lanthanum]}\n")

    rules = rules_of(tmp_path, topic("").replace("{en: [rare earth]}", "{use: all}"))

    assert topics_in(rules, "Lanthanum") == ["a"]
    assert topics_in(rules, "Y9") == ["a"]


def test_a_list_takes_the_fields_and_typos_of_the_topic_that_uses_it(tmp_path: Path) -> None:
    text = (
        "version: 1\nlists: {one: {en: [tariff]}}\ntopics:\n"
        "  - {id: a, title: A, fuzzy: off, match: {use: one}}\n"
        "  - {id: b, title: B, where: [summary], match: {use: one}}\n"
        "  - {id: c, title: C, match: {use: one}}\n"
    )

    rules = rules_of(tmp_path, text)

    assert topics_in(rules, "tarrifs") == ["c"]
    assert set(topics_in(rules, "tariffs")) == {"a", "c"}


def test_a_title_is_told_in_the_readers_language(tmp_path: Path) -> None:
    text = "version: 1\ntopics: [{id: a, title: {no: Tekst, en: Text}, match: {no: [tekst]}}]\n"

    read = rules_of(tmp_path, text).topics[TopicId("a")]

    assert (read.title("no"), read.title("en")) == ("Tekst", "Text")
