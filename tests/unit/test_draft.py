"""What `rules draft` proposes: the names and phrases of the articles, with tests that hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot import cli_draft
from bot.drafting import Draft, DraftImpossible, draft
from bot.drafting.people import people_of
from bot.drafting.words import is_name_like, sentences_of
from bot.feeds.pages import read_page
from bot.model import FeedId, Item
from bot.rules import RulesReport, check

ARTICLES = Path(__file__).parents[1] / "golden" / "articles"

app = typer.Typer()
app.command("draft")(cli_draft.draft_command)
app.command("fmt")(cli_draft.fmt_command)


def no_typos(word: str, language: str) -> bool:
    """Take every word for real, so that none is a typo; the word lists take seconds to build."""
    return True


@pytest.fixture(autouse=True)
def _no_word_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: no_typos)


def article(*stems: str) -> list[tuple[str, Item]]:
    found = []
    for stem in stems:
        path = next(ARTICLES.glob(f"{stem}.*"))
        found.append((path.name, read_page(path.read_bytes(), None, str(path))))
    return found


def checked(drafted: Draft, folder: Path) -> RulesReport:
    (folder / "draft.yaml").write_text(drafted.yaml, encoding="utf-8")
    return check(folder, is_real=no_typos)


def a_text(text: str, title: str = "") -> list[tuple[str, Item]]:
    return [("text", Item(feed_id=FeedId(""), title=title, content=text))]


# ---- what is proposed --------------------------------------------------------------------------


def test_german_articles_give_their_people_and_phrases_and_compounds() -> None:
    found = draft(article("angebot", "gespraeche"), is_real=no_typos)

    assert {"Denis Manturow", "Kirill Dmitrijew"} <= set(found.terms("name"))
    assert {"Seltene Erden", "Seltenerd*", "sekundäre Zölle", "Sekundärzölle"} <= set(found.terms("de"))
    assert found.languages == ("de",)


def test_an_english_article_gives_its_people_and_phrases() -> None:
    found = draft(article("offer"), is_real=no_typos)

    assert {"Denis Manturov", "Kirill Dmitriev"} <= set(found.terms("name"))
    assert {"rare earths", "Secondary tariffs"} <= {
        *found.terms("en"),
        *(term.capitalize() for term in found.terms("en") if "tariffs" in term),
    }


def test_a_russian_article_gives_names_in_the_nominative() -> None:
    found = draft(article("razgovor"), is_real=no_typos)

    assert {"Денис Мантуров", "Кирилл Дмитриев"} <= set(found.terms("name"))
    assert any("редкоземельн" in term for term in found.terms("ru"))
    assert any("пошлин" in term.lower() for term in found.terms("ru"))


def test_articles_in_several_languages_go_under_their_keys_and_a_name_is_one_topic() -> None:
    found = draft(article("angebot", "offer", "razgovor"), titles=["Raw materials"], is_real=no_typos)

    assert found.languages == ("de", "en", "ru")
    assert [topic.title for topic in found.topics] == ["Raw materials"]
    assert all(found.terms(language) for language in ("de", "en", "ru"))
    assert len([name for name in found.terms("name") if name.split()[0] in {"Denis", "Денис"}]) == 1


@pytest.mark.parametrize(
    "stems",
    [
        ("angebot",),
        ("gespraeche",),
        ("offer",),
        ("razgovor",),
        ("angebot", "gespraeche", "offer", "razgovor"),
    ],
    ids=", ".join,
)
def test_a_draft_passes_the_check_without_a_warning(stems: tuple[str, ...], tmp_path: Path) -> None:
    report = checked(draft(article(*stems), is_real=no_typos), tmp_path)

    assert [str(problem) for problem in (*report.problems, *report.warnings)] == []
    assert all(outcome.passed for outcome in report.outcomes)
    assert {outcome.wants_match for outcome in report.outcomes} == {True, False}


def test_a_language_that_is_none_is_found_out() -> None:
    [(name, item)] = article("offer")

    found = draft([(name, replace(item, language="xx"))], is_real=no_typos)

    assert found.languages == ("en",)


def test_near_misses_share_a_word_with_the_topic() -> None:
    found = draft(article("gespraeche"), titles=["Seltene Erden", "Zölle"], is_real=no_typos)
    _, misses = found.yaml.split("no_match:", 1)

    assert "Eine seltene Gelegenheit sei das" in misses


def test_near_misses_come_from_the_archive_where_there_is_one() -> None:
    archive = ["Seltene Vögel am Bodensee", "Seltene Erden aus Kiruna", "Die Börse schließt im Plus"]

    found = draft(article("angebot"), titles=["Seltene Erden"], archive=archive, is_real=no_typos)
    _, misses = found.yaml.split("no_match:", 1)

    assert "Seltene Vögel am Bodensee" in misses
    assert "Kiruna" not in misses
    assert "Börse" not in misses


def test_the_surname_alone_is_only_suggested() -> None:
    found = draft(article("angebot"), is_real=no_typos)

    assert "# - name: Manturow # the surname alone stands there" in found.yaml
    assert "Manturow" not in found.terms("name")


def test_each_title_takes_the_terms_that_share_a_word_with_it() -> None:
    found = draft(article("gespraeche"), titles=["Seltene Erden", "Zölle", "Fußball"], is_real=no_typos)

    assert [topic.title for topic in found.topics] == ["Seltene Erden", "Zölle"]
    assert "sekundäre Zölle" in [term.text for term in found.topics[1].terms]


def test_titles_that_look_alike_get_ids_of_their_own() -> None:
    found = draft(article("gespraeche"), titles=["Seltene Erden", "Seltene Erden!"], is_real=no_typos)

    assert [topic.slug for topic in found.topics] == ["seltene-erden", "seltene-erden-2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Es ist so, und das war es auch.", "stands out"),
        ("", "stands out"),
        ("俄罗斯第一副总理曼图罗夫访问北京。双方讨论了稀土合作。", "without spaces"),
    ],
    ids=["everyday words", "nothing", "Chinese"],
)
def test_what_cannot_be_drafted_is_said(text: str, why: str) -> None:
    with pytest.raises(DraftImpossible, match=why):
        draft(a_text(text), language="de", is_real=no_typos)


def test_hostile_articles_are_drafted_all_the_same(tmp_path: Path) -> None:
    text = "\n".join(
        ["Der 'Lithium: Plan' #1 [x] {y} & *z* gilt für Lithiumplan.", "Lithium: „Plan“ – ja? %&!"] * 3
        + ["- Lithium # Plan", "Lithium # Plan: @ja"]
        + ["Kiel " * 4_000, "Lithiumplan Lithiumplan Lithiumplan \u2028 \x07 Lithiumplan"]
    )  # fmt: skip

    report = checked(draft(a_text(text), language="de", is_real=no_typos), tmp_path)

    assert report.problems == ()


# ---- its parts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Denis", "Kirill", "Wladimir", "Friedrich", "Ursula", "Emmanuel"])
def test_given_names_are_known_in_many_languages(name: str) -> None:
    assert is_name_like(name, "de")


@pytest.mark.parametrize("word", ["Präsident", "Erster", "Zusammenarbeit", "Russlands", "Manturow", "Zölle"])
def test_other_words_are_not(word: str) -> None:
    assert not is_name_like(word, "de")


def test_people_are_told_from_other_capitals() -> None:
    text = "Russlands Erster Vizepremier Denis Manturow traf Ursula von der Leyen im Weißen Haus. Neue Zölle."
    item = Item(feed_id=FeedId(""), content=text)

    found = people_of(sentences_of(item, 0, "de"))

    assert [person.name for person in found] == ["Denis Manturow", "Ursula von der Leyen"]


def test_an_oblique_name_is_put_into_the_nominative() -> None:
    item = Item(feed_id=FeedId(""), content="Журналисты встретились с Денисом Мантуровым вчера.")

    found = people_of(sentences_of(item, 0, "ru"))

    assert [person.name for person in found] == ["Денис Мантуров"]


def test_a_page_s_furniture_makes_no_sentences() -> None:
    item = Item(
        feed_id=FeedId(""), content="Copy link\nDas Erz ist da.\nCopy link\nNr. 3 von Dr. Kuhn lief aus."
    )

    assert [one.text for one in sentences_of(item, 0, "de")] == [
        "Das Erz ist da.",
        "Nr. 3 von Dr. Kuhn lief aus.",
    ]


# ---- the command -------------------------------------------------------------------------------


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


OFFER = ARTICLES / "offer.en.txt"


def test_the_command_writes_yaml() -> None:
    code, out, err = run("draft", OFFER, "--topic", "Minerals")

    assert code == 0
    assert "id: minerals" in out
    assert err.strip() == "1 topic drafted"


def test_the_command_never_overwrites_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"

    first = run("draft", OFFER, "--out", file)
    second = run("draft", OFFER, "--out", file)
    third = run("draft", OFFER, "--out", file, "--force")

    assert [code for code, _, _ in (first, second, third)] == [0, 1, 0]
    assert "--force" in second[2]
    assert check(tmp_path).problems == ()


def test_the_command_speaks_json() -> None:
    code, out, _ = run("draft", OFFER, "--json", "--most", 2)

    told = json.loads(out)
    assert code == 0
    assert len(told["topics"]) == 2
    assert told["topics"][0]["terms"][0]["why"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nowhere.txt"], 2, "nowhere.txt does not exist"),
        ([OFFER, "--topic", " "], 2, "the title is empty"),
        ([OFFER, "--lang", "xx"], 2, "ISO 639-1"),
        ([OFFER, "--config", "none.toml"], 2, "none.toml"),
        (["http://127.0.0.1:9/"], 2, "no public address"),
    ],
    ids=["no file", "no title", "no language", "no config", "private address"],
)
def test_the_command_names_what_is_wrong(words: list[object], code: int, says: str) -> None:
    found, _, err = run("draft", *words)

    assert found == code
    assert says in err


def test_a_title_that_nothing_fits_is_named() -> None:
    _, _, err = run("draft", OFFER, "--topic", "Tariffs", "--topic", "Football")

    assert "nothing in the articles for 'Football'" in err


# ---- fmt, the command --------------------------------------------------------------------------

UGLY = "version:   1\ntopics: [ {title: A, id: a, match: x} ]   # c\n"


def test_fmt_writes_only_what_changes_and_keeps_rights_and_links(tmp_path: Path) -> None:
    file, link = tmp_path / "real.txt", tmp_path / "a.yaml"
    file.write_text(UGLY)
    file.chmod(0o640)
    link.symlink_to(file)

    code, _, err = run("fmt", tmp_path)
    again = run("fmt", tmp_path)

    assert (code, again[0]) == (0, 0)
    assert "a.yaml laid out" in err
    assert "0 laid out" in again[2]
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert " ".join(file.read_text().split()) == "version: 1 topics: [{id: a, title: A, match: x}] # c"


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_fmt_writes_nothing_when_only_asked(option: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(UGLY)

    code, out, _ = run("fmt", option, tmp_path)

    assert code == (1 if option == "--check" else 0)
    assert ("+version: 1" in out) == (option == "--diff")
    assert (tmp_path / "a.yaml").read_text() == UGLY


def test_fmt_goes_on_behind_a_broken_file_and_says_where_it_breaks(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\na: 2\n")
    (tmp_path / "b.yaml").write_text(UGLY)

    code, out, _ = run("fmt", "--json", tmp_path)

    told = json.loads(out)
    assert code == 2
    assert told["changed"] == [str(tmp_path / "b.yaml")]
    assert "a.yaml:2:1 E002" in told["errors"][0]
    assert (tmp_path / "a.yaml").read_text() == "a: 1\na: 2\n"
