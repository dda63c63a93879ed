"""Who follows a channel, and, if watched, who comes and leaves."""

from functools import partial
from typing import Any

from wedsync.live.access.passes import Right
from wedsync.live.channels import MOST_CHANNELS
from wedsync.live.error_codes import ErrorCode
from wedsync.live.log.reader import ChannelKey
from wedsync.live.presence.store import Unavailable
from wedsync.live.presence.watchers import Watcher, shown, watchers
from wedsync.live.sockets.operations.requests import Operation, Request, RequestRefused, channel_of


async def _presence(request: Request) -> dict[str, Any]:
    name, watch = channel_of(request.content), request.content.get("watch")
    if watch is not None and not isinstance(watch, bool):
        raise RequestRefused(ErrorCode.BAD_REQUEST, "watch must be true or false")
    if not request.pass_.covers(name) or not request.pass_.may(Right.PRESENCE):
        raise RequestRefused(ErrorCode.FORBIDDEN, "this ticket does not cover that channel, or not its presence")
    key = ChannelKey(request.pass_.organization_id, name)
    if watch and watchers.watched_by(request.client) >= MOST_CHANNELS:
        raise RequestRefused(ErrorCode.TOO_MANY_CHANNELS, f"a socket watches at most {MOST_CHANNELS} channels")
    try:
        present = await watchers.now(key)
    except Unavailable as error:
        raise RequestRefused(ErrorCode.UNAVAILABLE, "who follows is not known now; try again in 5 seconds") from error
    if watch:
        watcher = Watcher(request.client, request.pass_.is_staff, present)
        request.after_answer(partial(watchers.add, key, watcher))
    elif watch is False:
        watchers.remove(key, request.client)
    answer: dict[str, Any] = {"count": len(present.people)}
    return answer | {"people": shown(present.people)} if request.pass_.is_staff else answer


PRESENCE = Operation(frozenset({"channel", "watch"}), _presence)
