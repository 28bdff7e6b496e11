"""The rule reader: what it takes, what it refuses and where, and what stays the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import RulesInvalid
from bot.model import FeedId, Item, Level, TopicId, TopicStatus
from bot.rules import check
from tests.unit.rule_sets import SMALL, rules_of, topics_in


def test_the_simplest_file_matches(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL)

    assert topics_in(rules, "Handel mit Seltenerdmetallen") == ["rare-earths"]
    assert topics_in(rules, "цены на редкоземельные металлы") == ["rare-earths"]
    assert topics_in(rules, "中国限制稀土出口") == ["rare-earths"]
    assert topics_in(rules, "Seltene Vögel auf der Erde") == []


def test_a_topic_carries_what_the_house_needs(tmp_path: Path) -> None:
    keys = "level: critical\n    tags: [a, b]\n    status: experimental\n    cooldown: 1h30m\n    match:"

    rules = rules_of(tmp_path, SMALL.replace("match:", keys, 1))

    topic = rules.topics[TopicId("rare-earths")]
    assert topic.title("de") == "Seltene Erden"
    assert topic.level is Level.CRITICAL
    assert topic.tags == ("a", "b")
    assert topic.status is TopicStatus.EXPERIMENTAL
    assert topic.cooldown == timedelta(minutes=90)


def test_a_deprecated_topic_is_silent(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL.replace("match:", "status: deprecated\n    match:", 1))

    assert topics_in(rules, "Seltene Erden") == []


FETCHING = """
version: 1
defaults: {content: fetch}
topics:
  - {id: everywhere, title: E, match: {en: [cobalt]}}
  - {id: somewhere, title: S, sources: {allow: [mine.example]}, match: {en: [cobalt]}}
  - {id: elsewhere, title: L, sources: {deny: [mine.example]}, match: {en: [cobalt]}}
  - {id: german, title: G, languages: [de], match: {de: [Kobalt]}}
  - {id: titles, title: T, where: [title], match: {en: [cobalt]}}
  - {id: silent, title: D, status: deprecated, match: {en: [cobalt]}}
  - {id: content, title: C, content: feed, match: {en: [cobalt]}}
"""


def test_a_topic_may_have_linked_pages_read(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, FETCHING)

    fetching = [topic.id for topic in rules.topics.values() if topic.fetch_content]

    assert fetching == ["everywhere", "somewhere", "elsewhere", "german", "titles", "silent"]


def test_only_topics_that_could_match_an_item_by_its_page_have_it_read(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, FETCHING)
    at_mine = Item(feed_id=FeedId("f"), title="News", url="https://www.mine.example/1", language="en")
    abroad = Item(feed_id=FeedId("f"), title="Neues", url="https://zeitung.example/1", language="de")

    assert rules.page_topics(at_mine) == {"everywhere", "somewhere"}
    assert rules.page_topics(abroad) == {"everywhere", "elsewhere", "german"}


def test_without_content_fetch_no_page_is_read(tmp_path: Path) -> None:
    item = Item(feed_id=FeedId("f"), title="News", url="https://www.mine.example/1", language="en")

    assert rules_of(tmp_path, SMALL).page_topics(item) == frozenset()


def test_defaults_fill_in_and_a_topics_own_key_wins(tmp_path: Path) -> None:
    defaults = "version: 1\ndefaults: {level: high, tags: [x]}\n"

    rules = rules_of(
        tmp_path,
        SMALL.replace("version: 1\n", defaults).replace("    match:", "    level: low\n    match:", 1),
    )

    topic = rules.topics[TopicId("rare-earths")]
    assert (topic.level, topic.tags) == (Level.LOW, ("x",))


def test_a_list_serves_topics_of_other_files(tmp_path: Path) -> None:
    rules_of(tmp_path, "version: 1\nlists: {metals: {en: [neodymium]}}\n", "lists.yaml")

    rules = rules_of(
        tmp_path, "version: 1\ntopics: [{id: a, title: A, match: {use: metals}}]\n", "topics.yml"
    )

    assert topics_in(rules, "neodymium") == ["a"]


def test_one_bad_file_refuses_the_whole_set(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)

    with pytest.raises(RulesInvalid) as caught:
        rules_of(tmp_path, "version: 9\n", "bad.yaml")

    assert [problem.code for problem in caught.value.problems] == ["E001"]


def test_a_topic_id_twice_names_both_places(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)

    with pytest.raises(RulesInvalid, match=r"b\.yaml:3:9 E020 .*a\.yaml:3:9"):
        rules_of(tmp_path, SMALL, "b.yaml")


@pytest.mark.parametrize("missing", [True, False])
def test_a_folder_without_rules_cannot_be_read(tmp_path: Path, missing: bool) -> None:
    report = check(tmp_path / "none" if missing else tmp_path)

    assert report.is_unreadable
    assert report.rules is None


def test_the_hash_ignores_comments_and_layout_but_no_term(tmp_path: Path) -> None:
    plain = rules_of(tmp_path / "a", SMALL).rules_hash

    assert rules_of(tmp_path / "b", f"# a comment\n{SMALL}\n\n").rules_hash == plain
    assert rules_of(tmp_path / "c", SMALL.replace("[稀土]", "[稀土, 钕]")).rules_hash != plain


def test_a_match_carries_the_hash(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL)

    (match,) = rules.match(Item(feed_id=FeedId("f"), title="rare earth"))

    assert match.rules_hash == rules.rules_hash


def test_languages_keep_items_in_them_and_those_that_nobody_can_tell(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL.replace("match:", "languages: [de]\n    match:", 1))

    assert topics_in(rules, "Die Bundesregierung will weniger Seltene Erden aus China einführen") != []
    assert topics_in(rules, "Seltene Erden") != []
    assert topics_in(rules, "The government wants to import fewer rare earths from abroad this year") == []


def test_a_form_speaks_for_the_fields_it_names(tmp_path: Path) -> None:
    text = "version: 1\ntopics: [{id: a, title: A, match: {en: [rare earth], in: [summary]}}]\n"

    rules = rules_of(tmp_path, text)

    assert topics_in(rules, "rare earth") == []
    assert rules.match(Item(feed_id=FeedId("f"), summary="rare earth"))


def test_weight_fuzzy_and_slop_tune_one_term(tmp_path: Path) -> None:
    terms = "[{term: tariff, fuzzy: off}, {term: rare earth, slop: 0}, {term: metal, weight: 0.2}]"

    rules = rules_of(tmp_path, f"version: 1\ntopics: [{{id: a, title: A, match: {{en: {terms}}}}}]\n")

    assert topics_in(rules, "tariffs") == ["a"]
    assert topics_in(rules, "tarrifs") == []
    assert topics_in(rules, "rare red earth") == []
    assert topics_in(rules, "metal") == []


def test_a_file_in_capitals_is_read(tmp_path: Path) -> None:
    assert topics_in(rules_of(tmp_path, SMALL, "RARE.YAML"), "rare earth") == ["rare-earths"]


def test_one_language_alone_keeps_out_the_others(tmp_path: Path) -> None:
    text = "version: 1\ntopics: [{id: a, title: A, languages: [en], match: [lithium]}]\n"

    rules = rules_of(tmp_path, text)

    assert topics_in(rules, "Bolivien will sein Lithium endlich selbst abbauen und verarbeiten") == []
    assert topics_in(
        rules, "The government will build its own lithium mines in the north of the country"
    ) == ["a"]
    assert topics_in(rules, "Lithium") == ["a"]
