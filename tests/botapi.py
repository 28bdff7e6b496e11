"""A strict Telegram Bot API server for tests: real HTTP on loopback, and a ledger of what it accepted.

    async with BotApi() as api:
        bot = make_bot(TelegramAccess(token=api.token, base_url=api.base_url))
        api.fail(ADA.id, RateLimited(retry_after=3))   # the next request that names this chat
        ...
        assert [message.text for message in api.sent] == ["Hello"]

Chats need no introduction: a positive id is a private chat, a negative one a supergroup; `api.places[id]`
tells more (a forum and its threads, a channel, admins). Updates that tests make with `say`, `press` and the
like are handed out by `getUpdates`, or taken at once with `take_updates`, for tests that feed an application
by hand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.botapi_people import People
from tests.botapi_rules import BadRequest, checked_keyboard, parsed_text
from tests.botapi_world import (
    Answer,
    BadGateway,
    Blocked,
    ChatNotFound,
    Dropped,
    Failure,
    Json,
    Kicked,
    Migrated,
    Person,
    Place,
    RateLimited,
    Refused,
    Rejected,
    Request,
    Sent,
    Silent,
    Unparsable,
)

__all__ = [
    "Answer",
    "BadGateway",
    "Blocked",
    "BotApi",
    "ChatNotFound",
    "Dropped",
    "Kicked",
    "Migrated",
    "Person",
    "Place",
    "RateLimited",
    "Refused",
    "Sent",
    "Silent",
    "Unparsable",
]

MAX_COMMANDS = 100


class BotApi(People):
    """The server; an async context manager."""

    def __init__(self, token: str = "123456:TEST-token_of-the-strict-server") -> None:
        super().__init__()
        self.token = token
        self.base_url = ""
        self.bot: Json = {
            "id": 123456,
            "is_bot": True,
            "first_name": "Topicwire",
            "username": "topicwire_bot",
        }
        self.places: dict[int, Place] = {}
        self.requests: list[Request] = []
        self.rejected: list[Rejected] = []
        self.answers: list[Answer] = []
        self.commands: dict[tuple[str, str], list[Json]] = {}  # by scope (as JSON) and language
        self._failures: list[tuple[int | None, str | None, Failure, int | None]] = []
        self._closing = asyncio.Event()
        self._polls = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._ring()
        if self._runner is not None:
            await self._runner.cleanup()

    # ---- for tests: what happened ------------------------------------------------------------

    @property
    def sent(self) -> list[Sent]:
        """Return the messages that were accepted, oldest first, with their last text."""
        return list(self._messages.values())

    def in_chat(self, chat_id: int) -> list[Sent]:
        """Return the messages that one chat got, oldest first."""
        return [message for message in self.sent if message.chat_id == chat_id]

    def calls(self, method: str) -> list[Request]:
        """Return the requests of one method, the refused ones too."""
        return [request for request in self.requests if request.method == method]

    async def until(self, happened: Callable[[], object], timeout_s: float = 5) -> None:
        """Return as soon as it happened; asked after each request.

        Raises:
            TimeoutError: It did not happen in time.
        """
        async with asyncio.timeout(timeout_s):
            while not happened():
                await self._bell.wait()

    # ---- for tests: what shall happen --------------------------------------------------------

    def fail(
        self, chat_id: int | None, failure: Failure, *, times: int | None = 1, method: str | None = None
    ) -> None:
        """Let the next requests fail.

        Args:
            chat_id: Only requests that name this chat; None: all except getUpdates.
            times: How often; None: from now on.
            method: Only this method.
        """
        self._failures.append((chat_id, method, failure, times))

    def fail_polls(self, *failures: Failure) -> None:
        """Let the next `getUpdates` fail, one after the other."""
        self._failures += [(None, "getUpdates", failure, 1) for failure in failures]

    def heal(self) -> None:
        """Forget all failures that were scripted."""
        self._failures.clear()

    # ---- requests ----------------------------------------------------------------------------

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        if http.match_info["token"] != self.token:
            return _answer(Refused(401, "Unauthorized"))
        request = Request(http.match_info["method"], await _params(http))
        self.requests.append(request)
        failure = self._failure(request)
        response = await self._respond(request, failure)
        self._ring()
        match failure:
            case BadGateway():
                page = "<html><h1>502 Bad Gateway</h1></html>"
                return web.Response(status=502, text=page, content_type="text/html")
            case Dropped():
                return _broken(http)
            case Silent():
                await self._closing.wait()
                return _broken(http)
        return response

    async def _respond(self, request: Request, failure: Failure | None) -> web.Response:
        if isinstance(failure, Refused):
            return self._refuse(request, failure)
        if failure is None or failure.accepted:
            return await self._carry_out(request)
        return web.Response()

    def _failure(self, request: Request) -> Failure | None:
        for at, (chat_id, method, failure, times) in enumerate(self._failures):
            if (method or request.method) != request.method or (
                not method and request.method == "getUpdates"
            ):
                continue
            if chat_id is not None and str(request.params.get("chat_id")) != str(chat_id):
                continue
            if times == 1:
                del self._failures[at]
            elif times is not None:
                self._failures[at] = (chat_id, method, failure, times - 1)
            return failure
        return None

    async def _carry_out(self, request: Request) -> web.Response:
        method = getattr(self, f"_do_{request.method}", None)
        if method is None:
            return self._refuse(request, Refused(404, "Not Found"))
        try:
            result = method(request.params)
            return _answer(await result if asyncio.iscoroutine(result) else result)
        except BadRequest as error:
            return self._refuse(request, Refused(400, f"Bad Request: {error}"))
        except Conflict:
            return self._refuse(request, Refused(409, "Conflict: terminated by other getUpdates request"))

    def _refuse(self, request: Request, refused: Refused) -> web.Response:
        self.rejected.append(Rejected(request, refused.code, refused.description))
        return _answer(refused)

    # ---- methods -----------------------------------------------------------------------------

    def _do_getMe(self, params: Json) -> Json:
        return self.bot

    def _do_deleteWebhook(self, params: Json) -> bool:
        return True

    def _do_setMyCommands(self, params: Json) -> bool:
        commands: list[Json] = json.loads(params["commands"])
        for command in commands:
            if (
                not command["command"].isascii()
                or not command["command"].islower()
                or len(command["command"]) > 32
            ):
                raise BadRequest("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
        if len(commands) > MAX_COMMANDS:
            raise BadRequest("BOT_COMMANDS_TOO_MUCH")
        self.commands[params.get("scope", ""), params.get("language_code", "")] = commands
        return True

    def _do_getChatMember(self, params: Json) -> Json:
        room, user = self._room(_number(params, "chat_id")), _number(params, "user_id")
        status = "administrator" if user in room.admins else "member"
        return self._member({"id": user, "is_bot": False, "first_name": "Somebody"}, status)

    async def _do_getUpdates(self, params: Json) -> list[Json]:
        offset = int(params.get("offset") or 0)
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        self._polls += 1
        mine = self._polls
        self._ring()
        try:
            async with asyncio.timeout(float(params.get("timeout") or 0)):
                while not (self._updates or self._closing.is_set() or self._polls != mine):
                    await self._bell.wait()
        except TimeoutError:
            return []
        if self._polls != mine:
            raise Conflict
        return list(self._updates[: int(params.get("limit") or 100)])

    def _do_sendMessage(self, params: Json) -> Json:
        if not params.get("chat_id"):
            raise BadRequest("chat_id is empty")
        room = self._room(_number(params, "chat_id"))
        thread = self._thread(room, params)
        text, entities = parsed_text(params.get("text", ""), params.get("parse_mode"))
        reply_to = self._reply(room, params)
        message = Sent(
            chat_id=room.id,
            message_id=self._next_id(room.id),
            thread_id=thread,
            raw=params["text"],
            text=text,
            entities=tuple(entities),
            markup=checked_keyboard(params.get("reply_markup")),
            silent=params.get("disable_notification") == "true",
            reply_to=reply_to,
        )
        self._messages[room.id, message.message_id] = message
        return self._message_json(message)

    def _do_editMessageText(self, params: Json) -> Json:
        old = self._edited(params)
        text, entities = parsed_text(params.get("text", ""), params.get("parse_mode"))
        markup = checked_keyboard(params.get("reply_markup"))
        return self._replace(
            old, replace(old, raw=params["text"], text=text, entities=tuple(entities), markup=markup)
        )

    def _do_editMessageReplyMarkup(self, params: Json) -> Json:
        old = self._edited(params)
        return self._replace(old, replace(old, markup=checked_keyboard(params.get("reply_markup"))))

    def _do_answerCallbackQuery(self, params: Json) -> bool:
        query = params.get("callback_query_id", "")
        if query not in self.open_queries:
            raise BadRequest("query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > 200:
            raise BadRequest("MESSAGE_TOO_LONG")
        self.open_queries.discard(query)
        self.answers.append(Answer(query, params.get("text", ""), params.get("show_alert") == "true"))
        return True

    # ---- their parts -------------------------------------------------------------------------

    def _thread(self, room: Place, params: Json) -> int | None:
        if not params.get("message_thread_id"):
            return None
        thread = _number(params, "message_thread_id")
        if thread not in room.threads:
            raise BadRequest("message thread not found")
        if thread in room.closed:
            raise BadRequest("TOPIC_CLOSED")
        return thread

    def _reply(self, room: Place, params: Json) -> int | None:
        wanted: Json = json.loads(params.get("reply_parameters") or "{}")
        target = (room.id, int(wanted.get("message_id", 0)))
        if not wanted or target in self._messages or target in self._heard:
            return target[1] or None
        if not wanted.get("allow_sending_without_reply"):
            raise BadRequest("message to be replied not found")
        return None

    def _edited(self, params: Json) -> Sent:
        found = self._messages.get((_number(params, "chat_id"), _number(params, "message_id")))
        if found is None:
            raise BadRequest("message to edit not found")
        return found

    def _replace(self, old: Sent, new: Sent) -> Json:
        if (old.text, old.entities, old.markup) == (new.text, new.entities, new.markup):
            raise BadRequest(
                "message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message"
            )
        self._messages[old.chat_id, old.message_id] = replace(new, edits=old.edits + 1)
        return self._message_json(new)

    def forget(self, message: Sent) -> None:
        """Let a person delete a message of the bot."""
        del self._messages[message.chat_id, message.message_id]


class Conflict(Exception):
    """Two ask for updates at once; the older one loses."""


async def _params(http: web.Request) -> Json:
    if http.content_type == "application/json":
        given = await http.json()
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return {key: str(value) for key, value in {**http.query, **await http.post()}.items()}


def _number(params: Json, name: str) -> int:
    try:
        return int(params.get(name, ""))
    except ValueError:
        raise BadRequest("chat not found") from None


def _answer(result: object) -> web.Response:
    if isinstance(result, Refused):
        parameters = {"parameters": result.parameters} if result.parameters else {}
        return web.json_response(
            {"ok": False, "error_code": result.code, "description": result.description, **parameters},
            status=result.code,
        )
    return web.json_response({"ok": True, "result": result})


def _broken(http: web.Request) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return web.Response()
