"""What the terminal shows of a message."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from bot.model import Address, Button, Message
from bot.notify.console import ConsoleNotifier

ADA = Address(telegram_id=7)
ALERT = Message(
    html='🟠 <b>Rare &amp; earths</b>\n<a href="https://a.example/">Title</a>\n'
    "<blockquote expandable>First [bold]words[/bold].</blockquote>\nMatched",
    plain="",
    buttons=((Button(text="Read", url="https://a.example/"), Button(text="Why", data="1:wy:1")),),
)


def shown(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def a_console() -> Console:
    return Console(file=StringIO(), width=100, force_terminal=False)


async def test_the_terminal_shows_text_quote_and_buttons_without_markup() -> None:
    console = a_console()

    await ConsoleNotifier(console).send(ADA, ALERT)

    lines = [line.strip("│ ") for line in shown(console).splitlines()]
    assert "chat 7" in lines[0]
    assert lines[1:-1] == [
        "🟠 Rare & earths",
        "Title",
        "First [bold]words[/bold].",
        "Matched",
        "",
        "Read ↗    Why",
    ]


async def test_the_terminal_marks_an_edit() -> None:
    console = a_console()
    notifier = ConsoleNotifier(console)

    await notifier.edit(Address(telegram_id=7, thread_id=3), 1, ALERT)

    assert "chat 7, thread 3" in shown(console)
    assert "edited" in shown(console)


async def test_the_terminals_message_ids_go_on_where_a_store_left_off() -> None:
    notifier = ConsoleNotifier(a_console(), first_id=42)

    ids = [await notifier.send(address, ALERT) for address in (ADA, Address(telegram_id=8), ADA)]

    assert ids == [42, 43, 44]


async def test_a_silent_message_is_marked() -> None:
    console = a_console()

    await ConsoleNotifier(console).send(ADA, Message(html="x", plain="x", silent=True))

    assert "silent" in shown(console)
