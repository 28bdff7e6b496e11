"""The four topics that we ship: what their files promise, and how well they do on labelled titles."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from benchmarks.topics import ANOTHER_HAND, Labelled, Report, golden, labelled, measured, sweep
from bot.rules import RuleSet, check, json_schema, read_rules
from bot.seeds import starter_dir

RULES = starter_dir() / "rules"
TOPICS = ("rare-earths", "kirill-dmitriev", "denis-manturov", "secondary-tariffs")
PROMISED = ("de", "en", "ru", "fr", "es", "pl", "uk", "zh")

LANGUAGES = ("de", "en", "ru", "fr", "es", "it", "pl", "uk", "tr", "zh", "ja", "pt")

# Precision and recall over all labelled texts, as measured with `python benchmarks/topics.py`; they may rise,
# never fall.
FLOORS = {"all": (0.99, 0.985), "de": (0.99, 0.985), "en": (0.99, 0.985), "ru": (0.99, 0.985)}


def written(topic: str) -> dict[str, Any]:
    """Return the topic as it stands in its own file."""
    (found,) = YAML(typ="safe").load(RULES / f"{topic}.yaml")["topics"]
    return dict(found)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return read_rules(RULES)


@pytest.fixture(scope="module")
def titles() -> list[Labelled]:
    return labelled()


@pytest.fixture(scope="module")
def texts() -> list[Labelled]:
    return golden()


# ---- the files ---------------------------------------------------------------------------------


def test_four_topics_ship_each_in_a_file_of_its_name() -> None:
    assert {path.stem for path in RULES.glob("*.yaml")} == set(TOPICS)
    assert [written(topic)["id"] for topic in TOPICS] == list(TOPICS)


def test_the_files_pass_their_own_tests_without_a_warning() -> None:
    report = check(RULES)

    assert report.problems == ()
    assert report.warnings == ()
    assert {outcome.topic for outcome in report.outcomes} == set(TOPICS)
    assert all(outcome.passed for outcome in report.outcomes)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_file_tells_editors_its_schema(topic: str) -> None:
    first = (RULES / f"{topic}.yaml").read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith("# yaml-language-server: $schema=./")


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_has_titles_for_people_in_english_german_and_russian(topic: str) -> None:
    assert {"en", "de", "ru"} <= written(topic)["title"].keys()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_has_at_least_15_titles_to_match_and_10_not_to(topic: str) -> None:
    tests = written(topic)["tests"]

    assert len(tests["match"]) >= 15
    assert len(tests["no_match"]) >= 10


# ---- labelled titles ---------------------------------------------------------------------------


def test_the_labelled_titles_are_many_and_half_of_them_near_misses(titles: list[Labelled]) -> None:
    by_language = Counter(title.language for title in titles)

    assert len(titles) >= 240
    assert 0.4 <= sum(not title.topics for title in titles) / len(titles) <= 0.6
    assert 0.4 <= sum(title.half == "heldout" for title in titles) / len(titles) <= 0.6
    assert all(by_language[language] >= 20 for language in PROMISED)
    assert len({title.title for title in titles}) == len(titles)


def test_every_topic_has_labelled_titles_in_every_promised_language(titles: list[Labelled]) -> None:
    covered = {(topic, title.language) for title in titles for topic in title.topics}

    assert covered >= {(topic, language) for topic in TOPICS for language in PROMISED}


def test_the_headlines_by_another_hand_are_many_and_half_of_them_near_misses(texts: list[Labelled]) -> None:
    headlines = [text for text in texts if text.half == ANOTHER_HAND]

    assert len({headline.title for headline in headlines}) == len(headlines) == 168
    assert 0.4 <= sum(not headline.topics for headline in headlines) / len(headlines) <= 0.6
    assert {topic for headline in headlines for topic in headline.topics} == set(TOPICS)


@pytest.mark.parametrize("half", ["unseen", "unseen2"])
def test_the_unseen_headlines_are_many_and_cover_every_topic_and_language(
    texts: list[Labelled], half: str
) -> None:
    unseen = [text for text in texts if text.half == half]

    assert len({text.title for text in unseen}) == len(unseen) == 300
    assert 0.4 <= sum(not text.topics for text in unseen) / len(unseen) <= 0.6
    assert {text.language for text in unseen} >= set(LANGUAGES)
    assert {topic for text in unseen for topic in text.topics} == set(TOPICS)


def test_the_labelled_texts_are_many_in_every_language_and_half_of_them_near_misses(
    texts: list[Labelled],
) -> None:
    by_language = Counter(text.language for text in texts)

    assert len(texts) >= 400
    assert sum(bool(text.summary) for text in texts) >= 100
    assert all(by_language[language] >= 30 for language in LANGUAGES)
    assert 0.4 <= sum(not text.topics for text in texts) / len(texts) <= 0.6


def test_a_topic_has_labelled_texts_of_its_own_in_every_language(texts: list[Labelled]) -> None:
    covered = {(topic, text.language) for text in texts for topic in text.topics}

    assert covered >= {(topic, language) for topic in TOPICS for language in LANGUAGES}


def test_labelled_texts_are_none_of_the_rules_own_tests(texts: list[Labelled]) -> None:
    own = {
        test if isinstance(test, str) else test["title"]
        for topic in TOPICS
        for tests in written(topic)["tests"].values()
        for test in tests
    }

    assert not own & {text.title for text in texts}


@pytest.fixture(scope="module")
def report(rules: RuleSet, texts: list[Labelled]) -> Report:
    return measured(rules, texts, "all sets")


@pytest.mark.parametrize("part", list(FLOORS))
def test_topics_tell_their_news_from_near_misses_as_well_as_measured(report: Report, part: str) -> None:
    tally = report.all if part == "all" else report.by_language[part]
    precision, recall = FLOORS[part]

    misses = "\n".join(f"{m.kind} {m.topic}: {m.title.title} {m.why}" for m in tally.misses)
    assert tally.precision >= precision, misses
    assert tally.recall >= recall, misses


def test_no_other_min_score_tells_them_better_than_the_default(rules: RuleSet, texts: list[Labelled]) -> None:
    curve = dict(sweep(rules, texts))

    for name in ("all", *TOPICS):
        best = max(tallies[name].f1 for tallies in curve.values())
        assert curve[60][name].f1 >= best - 0.005, name


def test_every_topic_is_found_in_every_promised_language(rules: RuleSet, titles: list[Labelled]) -> None:
    found = {
        (str(match.topic), title.language)
        for title in titles
        for match in rules.match(title.item())
        if match.topic in title.topics
    }

    assert found >= {(topic, language) for topic in TOPICS for language in PROMISED}


def test_editors_get_the_schema_of_this_version() -> None:
    shipped = json.loads((RULES / ".schema.json").read_text(encoding="utf-8"))

    assert shipped == json_schema(), "write it anew: topicwire rules schema > rules/.schema.json"


@pytest.mark.parametrize("file", sorted(RULES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_file_is_valid_by_the_schema(file: Path) -> None:
    written = YAML(typ="safe").load(file.read_text(encoding="utf-8"))

    assert list(Draft202012Validator(json_schema()).iter_errors(written)) == []
