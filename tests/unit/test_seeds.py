"""The starter files: what a new installation copies, and the demo's script."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot import seeds
from bot.errors import TopicwireError
from bot.model import FeedId

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STARTER = seeds.starter_dir()


# ---- where the starter lives -------------------------------------------------------------------


def test_a_checkout_is_its_own_starter() -> None:
    assert (STARTER / "rules").is_dir()
    assert (STARTER / "seeds" / "feeds.opml").is_file()
    assert (STARTER / "config.example.toml").is_file()


def test_an_installed_wheel_carries_the_starter_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "bot" / "starter"
    shipped.mkdir(parents=True)
    monkeypatch.setattr(seeds, "__file__", str(tmp_path / "bot" / "seeds.py"))

    assert seeds.starter_dir() == shipped


# ---- copying it --------------------------------------------------------------------------------


def test_the_starter_is_copied_into_a_folder_made_for_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "news"

    written = seeds.copy_starter(target)

    assert all(path.is_file() for path in written)
    assert (target / "config.toml").read_bytes() == (STARTER / "config.example.toml").read_bytes()
    assert (target / "feeds.opml").read_bytes() == (STARTER / "seeds" / "feeds.opml").read_bytes()
    assert {path.name for path in (target / "rules").glob("*.yaml")} == {
        path.name for path in (STARTER / "rules").glob("*.yaml")
    }


def test_what_is_there_already_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    mine = tmp_path / "rules" / "rare-earths.yaml"
    mine.write_text("mine")
    (tmp_path / "config.toml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(TopicwireError) as refusal:
        seeds.copy_starter(tmp_path)

    assert "rare-earths.yaml" in str(refusal.value)
    assert "config.toml" in str(refusal.value)
    assert "feeds.opml" not in str(refusal.value)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "feeds.opml").exists()


def test_a_folder_with_other_things_in_it_is_fine(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    seeds.copy_starter(tmp_path)

    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_target_that_is_a_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    target = tmp_path / "news"
    target.write_text("a file")

    with pytest.raises(TopicwireError, match="news"):
        seeds.copy_starter(target)


# ---- dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param("{{now|rfc3339}}", "2026-03-01T12:00:00+00:00", id="now"),
        pytest.param("{{now-2h15m|rfc822}}", "Sun, 01 Mar 2026 09:45:00 +0000", id="rfc822"),
        pytest.param("{{now-1d|rfc3339}}", "2026-02-28T12:00:00+00:00", id="rfc3339"),
        pytest.param("{{ now - 1d |rfc3339}}", None, id="blank-in-the-shift"),
        pytest.param("{{ now-1d1h1m1s | rfc3339 }}", "2026-02-28T10:58:59+00:00", id="all-units"),
        pytest.param("{{now+30s|rfc3339}}", "2026-03-01T12:00:30+00:00", id="future"),
        pytest.param("a {{now|rfc3339}} b {x} {{y}}", "a 2026-03-01T12:00:00+00:00 b {x} {{y}}", id="inside"),
        pytest.param("{{now-|rfc3339}}", None, id="no-shift"),
        pytest.param("{{now-1m2h|rfc3339}}", None, id="order"),
        pytest.param("{{now-1w|rfc3339}}", None, id="unit"),
        pytest.param("{{now|iso}}", None, id="form"),
    ],
)
def test_a_date_is_filled_in_or_refused(text: str, filled: str | None) -> None:
    if filled is None:
        with pytest.raises(TopicwireError, match=r"now"):
            seeds.fill_dates(text, NOW)
    else:
        assert seeds.fill_dates(text, NOW) == filled


@given(
    shift=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    hours=st.integers(min_value=-12, max_value=14),
)
def test_both_forms_of_a_date_name_the_same_moment(shift: timedelta, hours: int) -> None:
    seconds = int(shift.total_seconds())
    now = NOW.astimezone(timezone(timedelta(hours=hours)))
    written = f"{{{{now-{seconds}s|rfc822}}}}|{{{{now-{seconds}s|rfc3339}}}}"

    mail, iso = seeds.fill_dates(written, now).split("|")

    assert parsedate_to_datetime(mail) == datetime.fromisoformat(iso) == now - timedelta(seconds=seconds)


# ---- the demo ----------------------------------------------------------------------------------


def entries(script: seeds.DemoScript, stage: int) -> dict[FeedId, list[tuple[str, str, str]]]:
    """Return (title, link, date) of the entries of each feed at a stage."""
    bodies = script.bodies(stage, NOW)
    found = {}
    for feed in script.feeds:
        body = bodies[feed.id]
        if feed.format == "json":
            found[feed.id] = [(i["title"], i["url"], i["date_published"]) for i in json.loads(body)["items"]]
        else:
            parsed = feedparser.parse(body)
            assert not parsed.bozo, parsed
            found[feed.id] = [(e.title, e.link, e.published) for e in parsed.entries]
    return found


def test_the_demo_has_outlets_in_four_languages_and_all_three_formats() -> None:
    feeds = seeds.demo_script().feeds

    assert {"de", "en", "ru", "fr"} <= {feed.language for feed in feeds}
    assert {feed.format for feed in feeds} == {"rss", "atom", "json"}
    assert len({feed.id for feed in feeds}) == len({feed.path for feed in feeds}) == len(feeds) >= 6
    assert all(feed.id.startswith("demo-") for feed in feeds)


def test_one_russian_feed_comes_in_windows_1251() -> None:
    script = seeds.demo_script()
    (old,) = [feed for feed in script.feeds if feed.encoding == "windows-1251"]

    body = script.bodies(0, NOW)[old.id]

    assert b'encoding="windows-1251"' in body
    assert "Дмитриев" in body.decode("cp1251")
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")


def test_every_feed_reads_well_at_every_stage_and_no_date_is_left_open() -> None:
    script = seeds.demo_script()

    for stage in range(len(script.stages)):
        for feed, found in entries(script, stage).items():
            assert found, feed
        assert not any(b"{{" in body for body in script.bodies(stage, NOW).values())


def test_stages_only_add_items_and_a_feed_without_news_keeps_its_body() -> None:
    script = seeds.demo_script()

    stages = [entries(script, stage) for stage in range(len(script.stages))]

    assert len(stages) == 3
    for before, after in itertools.pairwise(stages):
        for feed, items in before.items():
            assert set(items) <= set(after[feed])
    unchanged = [feed for feed in stages[1] if stages[1][feed] == stages[2][feed]]
    assert unchanged
    assert all(script.stages[1].files[feed] == script.stages[2].files[feed] for feed in unchanged)


def test_the_demo_brings_about_forty_items_and_news_at_each_stage() -> None:
    script = seeds.demo_script()
    counts = [sum(map(len, entries(script, stage).values())) for stage in range(3)]

    assert 35 <= counts[2] <= 50
    assert counts[0] < counts[1] < counts[2]


def test_the_demo_holds_a_copy_with_tracking_and_an_item_without_guid_and_one_with_markup() -> None:
    script = seeds.demo_script()
    links = {link for items in entries(script, 1).values() for _, link, _ in items}
    bodies = b"".join(script.bodies(1, NOW).values())

    copies = {link for link in links if "utm_" in link}
    assert copies
    assert all(link.partition("?")[0] in links for link in copies)
    assert bodies.count(b"<item>") == bodies.count(b"<guid") + 1
    assert b"&lt;b&gt;" in bodies
    assert b"&amp;amp;" in bodies


def test_items_of_the_demo_live_on_reserved_hosts_and_feeds_say_that_they_are_invented() -> None:
    script = seeds.demo_script()
    hosts = {
        link.split("/")[2]
        for stage in range(3)
        for items in entries(script, stage).values()
        for _, link, _ in items
    }
    say_so = re.compile("erfunden|invented|выдуман|invent|wymyślon")

    assert all(re.search(r"\.example\.(com|org|net)$", host) for host in hosts)
    for feed in script.feeds:
        assert say_so.search(script.bodies(0, NOW)[feed.id].decode(feed.encoding)), feed.id


def test_dates_of_the_demo_are_past_and_the_news_of_a_stage_is_fresh() -> None:
    script = seeds.demo_script()

    def when(text: str) -> datetime:
        return datetime.fromisoformat(text) if "T" in text[:11] else parsedate_to_datetime(text)

    first, last = entries(script, 0), entries(script, 2)
    for feed, items in last.items():
        assert all(when(date) < NOW for _, _, date in items)
        known = {link for _, link, _ in first[feed]}
        assert all(NOW - when(date) < timedelta(hours=2) for _, link, date in items if link not in known)


def a_demo(folder: Path, script: str) -> Path:
    (folder / "1-only").mkdir(parents=True)
    (folder / "1-only" / "a.xml").write_text("<rss/>")
    (folder / "demo.yaml").write_text(script)
    return folder


GOOD = """
version: 1
feeds: [{id: demo-a, outlet: A, language: en, path: a.xml, format: rss}]
stages: [{folder: 1-only, title: Only}]
"""


def test_a_demo_of_ones_own_is_read(tmp_path: Path) -> None:
    script = seeds.demo_script(a_demo(tmp_path / "demo", GOOD))

    assert script.feeds[0].content_type == "application/rss+xml"
    assert script.bodies(0, NOW) == {"demo-a": b"<rss/>"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("path: a.xml", "path: b.xml", "no body for demo-a", id="no-body"),
        pytest.param("path: a.xml", "path: ../a.xml", "path", id="climbs-out"),
        pytest.param("format: rss", "format: gopher", "format", id="format"),
        pytest.param("language: en", "language: no", None, id="norwegian-is-text"),
        pytest.param("version: 1", "version: 2", "version", id="version"),
        pytest.param("feeds: [", "feeds: {", "cannot be read", id="no-yaml"),
        pytest.param("outlet: A", "outlet: A, colour: red", "colour", id="unknown-key"),
    ],
)
def test_a_wrong_demo_is_refused_with_its_file(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    folder = a_demo(tmp_path / "demo", GOOD.replace(old, new))

    if said is None:
        assert seeds.demo_script(folder).feeds[0].language == "no"
    else:
        with pytest.raises(TopicwireError, match=said) as refusal:
            seeds.demo_script(folder)
        assert str(folder) in str(refusal.value)


def test_a_missing_demo_is_refused_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(TopicwireError, match=r"demo\.yaml"):
        seeds.demo_script(tmp_path)


# ---- the starter list of feeds and the two first articles --------------------------------------


def test_the_starter_list_names_at_least_forty_feeds_in_eight_languages() -> None:
    outlines = [o for o in ET.parse(STARTER / "seeds" / "feeds.opml").iter("outline") if o.get("xmlUrl")]
    urls = [outline.attrib["xmlUrl"] for outline in outlines]

    assert len(urls) >= 40
    assert len(set(urls)) == len(urls)
    assert all(re.match(r"https?://[\w.-]+/", url) for url in urls)
    languages = [outline.attrib["language"] for outline in outlines]
    assert {
        lang: languages.count(lang) >= 5 for lang in ("de", "en", "ru", "fr", "es", "pl", "uk", "zh")
    } == (dict.fromkeys(("de", "en", "ru", "fr", "es", "pl", "uk", "zh"), True))


def test_the_first_articles_are_facts_about_topics_that_we_ship() -> None:
    articles = YAML(typ="safe").load(STARTER / "seeds" / "articles.yaml")["articles"]
    shipped = {path.stem for path in (STARTER / "rules").glob("*.yaml")}

    assert len(articles) == 2
    assert {topic for article in articles for topic in article["topics"]} == shipped
    for article in articles:
        texts = [text for key in ("people", "figures") for entry in article[key] for text in entry.values()]
        assert all(len(str(text).split()) <= 15 for text in texts)
