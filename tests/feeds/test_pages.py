"""The article alone: what full text takes of a page, and what it leaves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import FeedUnreadable
from bot.feeds.pages import PageReader, read_page

STORY = """<p>The ferry came back to the northern line, and the whole town stood on the quay to see it.</p>
<p>It had been in the dock since spring, with a crack in its hull that nobody could explain.</p>
<p>From Monday it sails twice a day, said the harbour master, and later in summer three times.</p>"""
PLACE = "https://harbour.example/ferry"


def content_of(html: str, content_type: str = "text/html") -> str:
    return read_page(html.encode(), content_type, PLACE, is_article_only=True).content


def test_menus_adverts_and_comments_are_left_out() -> None:
    page = f"""<html><body><header><nav><a href="/metals">Rare earths</a></nav></header>
        <article><h1>Ferry</h1>{STORY}</article>
        <aside>Buy rare earths now</aside><div id="comments"><p>Rare earths, says a reader.</p></div>
        <footer>Rare earths Ltd.</footer></body></html>"""

    content = content_of(page)

    assert "The ferry came back" in content
    assert "are earths" not in content


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><nav>Rare earths</nav><div>Log in to read on.</div></body></html>",
        "<html><title>T</title><form>We value your privacy <button>Rare earths</button></form></html>",
        '<html><title>T</title><meta http-equiv="refresh" content="0; url=/rare-earths"></html>',
        "<html><title>T</title><body><script>document.write('rare earths')</script></body></html>",
    ],
    ids=["a log-in", "a consent form", "a refresh", "a script"],
)
def test_a_page_without_an_article_is_not_read_whole(page: str) -> None:
    assert content_of(page) == ""


def test_a_short_article_in_a_dense_script_is_one() -> None:
    text = "商务部周四表示将继续依法审批稀土相关物项的出口申请并愿与各国加强沟通" * 3

    assert "稀土" in content_of(f"<html><body><article><p>{text}。</p></article></body></html>")


def test_a_plain_text_is_an_article() -> None:
    assert "northern line" in content_of("Ferry\nIt came back to the northern line.", "text/plain")


async def test_pages_that_come_together_are_read_by_one_process() -> None:
    async with PageReader() as reader:
        pages = [f"<html><body><article><p>Number {n}.</p>{STORY}</article></body></html>" for n in range(4)]

        found = await asyncio.gather(
            *(reader.read(page.encode(), "text/html", PLACE, is_article_only=True) for page in pages)
        )

    assert [item.content.split(".")[0] for item in found] == [f"Number {n}" for n in range(4)]


async def test_a_page_that_is_killed_takes_no_other_with_it() -> None:
    slow = "<html><body><article>" + "<p>a b c</p>" * 300_000 + "</article></body></html>"

    async with PageReader(timeout=timedelta(seconds=3)) as reader:
        bad = asyncio.create_task(reader.read(slow.encode(), "text/html", PLACE, is_article_only=True))
        await asyncio.sleep(0)
        good = await reader.read(
            f"<article>{STORY}</article>".encode(), "text/html", PLACE, is_article_only=True
        )

        with pytest.raises(FeedUnreadable, match="takes more than 3 s"):
            await bad

    assert "northern line" in good.content


async def test_a_reader_may_be_closed_twice() -> None:
    reader = PageReader()

    await reader.close()
    await reader.close()
