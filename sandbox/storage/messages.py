"""The accepted messages: what a person or another system would have received."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.wire import Call, Json, iso


@dataclass(frozen=True)
class Draft:
    """A message about to be stored. `view` is what the page draws next to the text, such as buttons."""

    provider_id: str
    service: str
    account: str
    to: str
    text: str
    body: Json
    html: str | None = None
    status: str = "accepted"
    view: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A stored message. `id` is its position in the log, and so a cursor."""

    id: int
    provider_id: str
    service: str
    account: str
    received_at: str
    to: str
    text: str
    html: str | None
    headers: dict[str, str]
    body: Json
    view: dict[str, Json]
    status: str

    def public(self) -> dict[str, Json]:
        """As the control API shows it."""
        return {
            "id": self.id,
            "service": self.service,
            "received_at": self.received_at,
            "to": self.to,
            "text": self.text,
            "html": self.html,
            "headers": self.headers,
            "body": self.body,
            "provider_id": self.provider_id,
            "status": self.status,
            "view": self.view,
        }


@dataclass(frozen=True)
class Filter:
    """Which messages: of these services (none: all), after a cursor, containing a text in any case."""

    services: Sequence[str] = ()
    since: int = 0
    text: str = ""

    def clause(self) -> tuple[str, list[str | int]]:
        """The WHERE clause and its parameters."""
        parts = ["id > ?"]
        arguments: list[str | int] = [self.since]
        if self.services:
            parts.append(f"service IN ({','.join('?' * len(self.services))})")
            arguments += self.services
        if self.text:
            needle = "%" + self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            parts.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in _SEARCHED) + ")")
            arguments += [needle] * len(_SEARCHED)
        return " AND ".join(parts), arguments


_SEARCHED = ("text", "recipient", "html", "body", "provider_id")


class MessageLog:
    """The log of messages, in order of arrival."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, draft: Draft, call: Call) -> int:
        """Store a message with the headers and the time of the call that brought it; returns its id."""
        cursor = self._connection.execute(
            "INSERT INTO messages (provider_id, service, account, received_at, recipient, text, html, headers, body,"
            " view, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                draft.provider_id,
                draft.service,
                draft.account,
                iso(call.received_at),
                draft.to,
                draft.text,
                draft.html,
                json.dumps(call.redacted_headers()),
                json.dumps(draft.body, ensure_ascii=False),
                json.dumps(draft.view, ensure_ascii=False),
                draft.status,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def oldest_first(self, which: Filter, limit: int | None = None) -> list[Message]:
        """The messages that match a filter, in order of arrival."""
        clause, arguments = which.clause()
        query = f"SELECT * FROM messages WHERE {clause} ORDER BY id LIMIT ?"
        return [_message(row) for row in self._connection.execute(query, [*arguments, -1 if limit is None else limit])]

    def newest_first(self, which: Filter, limit: int, offset: int = 0) -> list[Message]:
        """One page of the messages that match a filter, newest first."""
        clause, arguments = which.clause()
        query = f"SELECT * FROM messages WHERE {clause} ORDER BY id DESC LIMIT ? OFFSET ?"
        return [_message(row) for row in self._connection.execute(query, [*arguments, limit, offset])]

    def count(self, which: Filter) -> int:
        """How many messages match a filter."""
        clause, arguments = which.clause()
        return int(self._connection.execute(f"SELECT count(*) FROM messages WHERE {clause}", arguments).fetchone()[0])

    def last_id(self) -> int:
        """The highest id ever given, even if its message has been deleted: cursors never go back."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
        return int(row[0]) if row else 0

    def by_id(self, message_id: int) -> Message | None:
        """The message with this id."""
        row = self._connection.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
        return _message(row) if row else None

    def by_provider_id(self, service: str, provider_id: str) -> Message | None:
        """The message to which the service gave this id."""
        query = "SELECT * FROM messages WHERE provider_id = ? AND service = ?"
        row = self._connection.execute(query, (provider_id, service)).fetchone()
        return _message(row) if row else None

    def set_status(self, message_id: int, status: str) -> None:
        """Set the message's status. What was read stays read, even if `delivered` comes later."""
        self._connection.execute(
            "UPDATE messages SET status = ? WHERE id = ? AND status != 'read'", (status, message_id)
        )

    def add_reply(self, message_id: int, text: str) -> None:
        """Store the recipient's reply, for the page to draw below the message."""
        message = self.by_id(message_id)
        if message is not None:
            view = message.view | {"replies": [*message.view.get("replies", []), text]}
            shown = json.dumps(view, ensure_ascii=False)
            self._connection.execute("UPDATE messages SET view = ? WHERE id = ?", (shown, message_id))

    def keep_newest(self, service: str, count: int) -> None:
        """Forget all but the newest messages of a service."""
        self._connection.execute(
            "DELETE FROM messages WHERE service = ? AND id <= (SELECT id FROM messages WHERE service = ?"
            " ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (service, service, count),
        )

    def delete(self, service: str | None = None) -> int:
        """Forget the messages of one service, or all; returns how many."""
        where, arguments = ("WHERE service = ?", (service,)) if service else ("", ())
        return self._connection.execute(f"DELETE FROM messages {where}", arguments).rowcount


def _message(row: sqlite3.Row) -> Message:
    return Message(
        id=row["id"],
        provider_id=row["provider_id"],
        service=row["service"],
        account=row["account"],
        received_at=row["received_at"],
        to=row["recipient"],
        text=row["text"],
        html=row["html"],
        headers=json.loads(row["headers"]),
        body=json.loads(row["body"]),
        view=json.loads(row["view"]),
        status=row["status"],
    )
