"""Publishing an event on a channel."""

from typing import Any

from django.conf import settings

from wedsync.live import publishing, threads
from wedsync.live.error_codes import ErrorCode
from wedsync.live.publishing import PublishForbidden, PublishRefused
from wedsync.live.sockets.operations.requests import Operation, Request, RequestRefused, channel_of
from wedsync.web import minute_counts

_EVENT = frozenset({"type", "payload", "wedding_id"})


async def _publish(request: Request) -> dict[str, Any]:
    name = channel_of(request.content)
    event = {field: value for field, value in request.content.items() if field in _EVENT}
    return await threads.requests.run(_publish_counted, request, name, event)


def _publish_counted(request: Request, name: str, event: dict[str, Any]) -> dict[str, Any]:
    counted = minute_counts.shared().count(f"published:{request.pass_.bearer.holder}")
    if counted.used > settings.LIMIT_PUBLISHED:
        raise RequestRefused(
            ErrorCode.TOO_MANY_REQUESTS,
            f"you may publish {settings.LIMIT_PUBLISHED} events a minute; wait {counted.seconds} seconds",
        )
    try:
        published = publishing.publish_for(request.pass_, name, event)
    except PublishForbidden as error:
        raise RequestRefused(ErrorCode.FORBIDDEN, str(error)) from error
    except PublishRefused as error:
        raise RequestRefused(ErrorCode.BAD_REQUEST, str(error)) from error
    return {"event": str(published.event.id), "sequence": published.sequence}


PUBLISH = Operation(frozenset({"channel"}) | _EVENT, _publish)
