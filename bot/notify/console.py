"""Messages on the terminal, looking as Telegram would show them: for the demo, and for trying rules out."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import count

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.style import Style
from rich.text import Text

from bot.model import Address, Button, Message

_STYLES = {
    "b": Style(bold=True),
    "i": Style(italic=True),
    "u": Style(underline=True),
    "s": Style(strike=True),
    "code": Style(color="cyan"),
    "pre": Style(color="cyan"),
    "blockquote": Style(dim=True),
}
_WIDTH = 72  # about a phone's, with room for a terminal's wide letters


class ConsoleNotifier:
    """Shows messages on a terminal; implements `ports.Notifier`.

    Message ids count up over all chats, from `first_id`; give one that is above any id a store keeps.
    """

    def __init__(self, console: Console, *, first_id: int = 1) -> None:
        self._console = console
        self._ids = count(first_id)

    async def send(self, address: Address, message: Message) -> int:
        """Return the id of the message now shown."""
        message_id = next(self._ids)
        self._console.print(panel(address, message, mark="silent" if message.silent else ""))
        return message_id

    async def edit(self, address: Address, message_id: int, message: Message) -> None:
        """Show the message again, marked as edited; any id will do, since a store may know older ones."""
        self._console.print(panel(address, message, mark="edited"))


def panel(address: Address, message: Message, mark: str = "") -> Panel:
    """Return a message as a box: the chat above, the buttons below, the mark in the lower corner."""
    place = f"chat {address.telegram_id}"
    if address.thread_id is not None:
        place += f", thread {address.thread_id}"
    body: list[RenderableType] = list(_blocks(message.html))
    if message.buttons:
        body += [Text(), *(_button_row(row) for row in message.buttons)]
    return Panel(
        Group(*body),
        title=Text(place, style="dim"),
        title_align="left",
        subtitle=Text(mark, style="dim italic") if mark else None,
        subtitle_align="right",
        box=box.ROUNDED,
        width=_WIDTH,
    )


def _button_row(row: tuple[Button, ...]) -> Text:
    labels = [Text(f" {button.text}{' ↗' if button.url else ''} ", style="reverse") for button in row]
    return Text("  ").join(labels)


def _blocks(html: str) -> Iterator[RenderableType]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for words, quoted in reader.blocks:
        if quoted:
            yield Padding(words, (0, 0, 0, 2))
        elif words.plain.strip("\n"):
            yield _without_edges(words)


def _without_edges(words: Text) -> Text:
    """Return the text without the line ends beside a quote, which is a block of its own."""
    plain = words.plain
    start = 1 if plain.startswith("\n") else 0
    return words[start : len(plain) - 1 if plain.endswith("\n") else len(plain)]


class _Reader(HTMLParser):
    """Reads Telegram's HTML into texts, quotes apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[tuple[Text, bool]] = [(Text(), False)]
        self._styles: list[Style] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = _STYLES.get(tag, Style.null())
        if tag == "a":
            style = Style(color="blue", underline=True, link=dict(attrs).get("href"))
        self._styles.append(style)
        if tag == "blockquote":
            self.blocks.append((Text(), True))

    def handle_endtag(self, tag: str) -> None:
        self._styles.pop()
        if tag == "blockquote":
            self.blocks.append((Text(), False))

    def handle_data(self, data: str) -> None:
        self.blocks[-1][0].append(data, sum(self._styles, Style.null()))
