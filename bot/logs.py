"""How the house speaks to whoever runs it: for people on a terminal, JSON elsewhere, never a secret."""

from __future__ import annotations

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.core.identity import redact_url

# A bot's token as Telegram makes it: digits, a colon, 35 characters. Also within URLs, after "bot".
_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}")


def redacted(value: object) -> object:
    """Return texts, also inside lists and dicts, without bot tokens and without credentials in URLs."""
    match value:
        case str():
            return _TOKEN.sub("***", redact_url(value))
        case dict():
            return {key: redacted(inner) for key, inner in value.items()}
        case list() | tuple():
            return [redacted(inner) for inner in value]
        case _:
            return value


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: redacted(value) for key, value in event.items()}


def set_up_logs(level: str = "info", style: Literal["auto", "console", "json"] = "auto") -> None:
    """Send all logs, ours and the libraries', to standard error.

    Args:
        style: `auto` is `console` on a terminal and `json` elsewhere.
    """
    on_terminal = sys.stderr.isatty()
    as_json = style == "json" or (style == "auto" and not on_terminal)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=on_terminal)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in (
        "httpx",
        "httpcore",
        "telegram",
        "aiosqlite",
        "alembic",
        "asyncio",
        "watchfiles",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Its jobs log their own troubles; it only adds when a tick met the one before, or was cut off by the end.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
