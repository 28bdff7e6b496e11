"""The people of the Bot API server of the tests: what they write and press becomes updates."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from tests.botapi_rules import command_entities
from tests.botapi_world import ANONYMOUS_ADMIN, Json, Person, Place, Sent

DATE = 1_790_000_000  # of everything that happens here

_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


class People:
    """What the server knows of chats and messages, and the updates that wait to be fetched."""

    def __init__(self) -> None:
        self.bot: Json = {
            "id": 123456,
            "is_bot": True,
            "first_name": "Topicwire",
            "username": "topicwire_bot",
        }
        self.places: dict[int, Place] = {}
        self.open_queries: set[str] = set()
        self._messages: dict[tuple[int, int], Sent] = {}
        self._heard: set[tuple[int, int]] = set()  # messages of people
        self._ids: defaultdict[int, int] = defaultdict(int)
        self._updates: list[Json] = []
        self._update_id = 0
        self._bell = asyncio.Event()

    def say(
        self,
        place: Place | int,
        person: Person,
        text: str,
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        behind: Place | None = None,
        edited: bool = False,
    ) -> int:
        """Let a person write; returns the message's id.

        Args:
            behind: Hidden behind the group itself, as administrators may, or behind a channel, as all may.
            edited: As the edit of an older message.
        """
        room = self._room(place)
        message = self._message_of_people(room, text, reply_to, thread)
        message["from"] = person.as_json()
        if behind is not None:
            message["from"] = {
                "id": ANONYMOUS_ADMIN,
                "is_bot": True,
                "first_name": "Group",
                "username": "GroupAnonymousBot",
            }
            message["sender_chat"] = behind.as_json()
        self._update(
            "edited_message" if edited else "message", message | ({"edit_date": DATE} if edited else {})
        )
        return int(message["message_id"])

    def post(self, place: Place, text: str, *, reply_to: int | None = None) -> int:
        """Let a channel's administrator post; returns the message's id."""
        message = self._message_of_people(self._room(place), text, reply_to, None)
        message["sender_chat"] = self._room(place).as_json()
        self._update("channel_post", message)
        return int(message["message_id"])

    def press(self, message: Sent, person: Person, data: str) -> str:
        """Let a person press a button of this callback data, be it there or not; returns the query's id."""
        query_id = str(9000 + self._update_id)
        self.open_queries.add(query_id)
        self._update(
            "callback_query",
            {
                "id": query_id,
                "from": person.as_json(),
                "chat_instance": "1",
                "message": self._message_json(self._messages[message.chat_id, message.message_id]),
                "data": data,
            },
        )
        return query_id

    def membership(self, place: Place | int, person: Person, old: str, new: str) -> None:
        """Let the bot become a `member`, an `administrator`, `left` or `kicked` (in private: blocked)."""
        self._update(
            "my_chat_member",
            {
                "chat": self._room(place).as_json(),
                "from": person.as_json(),
                "date": DATE,
                "old_chat_member": self._member(self.bot, old),
                "new_chat_member": self._member(self.bot, new),
            },
        )

    def migrate(self, old: int, new: int) -> None:
        """Let a group become a supergroup."""
        room = Place(id=old, kind="group", title="Room")
        self._update(
            "message", self._message_json_base(room, self._next_id(old)) | {"migrate_to_chat_id": new}
        )

    def garble(self) -> None:
        """Let an update come that no library understands."""
        self._update("message", {"text": "a message without a chat"})

    def take_updates(self) -> list[Json]:
        """Return the updates that wait, and forget them, as after a `getUpdates`."""
        taken, self._updates = self._updates, []
        return taken

    # ---- as the Bot API writes it ------------------------------------------------------------

    def _room(self, place: Place | int) -> Place:
        if isinstance(place, Place):
            return self.places.setdefault(place.id, place)
        return self.places.get(place) or Place(id=place, kind="private" if place > 0 else "supergroup")

    def _next_id(self, chat_id: int) -> int:
        self._ids[chat_id] += 1
        return self._ids[chat_id]

    def _message_json_base(self, room: Place, message_id: int) -> Json:
        return {"message_id": message_id, "date": DATE, "chat": room.as_json()}

    def _message_json(self, message: Sent) -> Json:
        known = self._message_json_base(self._room(message.chat_id), message.message_id)
        known |= {"from": self.bot, "text": message.text, "entities": [e.as_json() for e in message.entities]}
        if message.thread_id:
            known |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        return known | ({"reply_markup": message.markup} if message.markup else {})

    def _message_of_people(self, room: Place, text: str, reply_to: int | None, thread: int | None) -> Json:
        message = self._message_json_base(room, self._next_id(room.id))
        message |= {"text": text, "entities": command_entities(text)}
        self._heard.add((room.id, message["message_id"]))
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            ours = self._messages.get((room.id, reply_to))
            message["reply_to_message"] = (
                self._message_json(ours) if ours else self._message_json_base(room, reply_to) | {"text": "?"}
            )
        return message

    def _member(self, user: Json, status: str) -> Json:
        rights = dict.fromkeys(_RIGHTS, True) if status == "administrator" else {}
        ban = {"until_date": 0} if status == "kicked" else {}
        return {"user": user, "status": status, **rights, **ban}

    def _update(self, kind: str, content: Json) -> None:
        self._update_id += 1
        self._updates.append({"update_id": self._update_id, kind: content})
        self._ring()

    def _ring(self) -> None:
        """Wake all who wait for something to happen."""
        self._bell.set()
        self._bell = asyncio.Event()
