"""Lets requests for streams and histories in: their slot in the quotas, their rights, their channels."""

from collections.abc import Iterable, Mapping
from typing import Any

from wedsync.live.quotas import Refused, Slot, quotas
from wedsync.live.streams import problems
from wedsync.live.streams.admission import Admitted, Count, admit


def enter(scope: Mapping[str, Any]) -> Slot:
    """A request's slot in the quotas, which counts until :meth:`quotas.leave`.

    Raises:
        Problematic: there is no room.
    """
    try:
        return quotas.enter((scope.get("client") or ("",))[0])
    except Refused as refused:
        raise problems.over_quota(refused) from refused


async def admitted(
    scope: Mapping[str, Any], slot: Slot, channels: Iterable[str], organization: str, count: Count
) -> Admitted:
    """Who sends a request for these channels.

    Raises:
        Problematic: it may not have them, or not now.
    """
    found = await admit(scope, organization, count)
    try:
        quotas.name(slot, found.pass_)
    except Refused as refused:
        raise problems.over_quota(refused) from refused
    for name in channels:
        if not found.pass_.covers(name):
            raise problems.forbidden(f"You may not follow {name}.", channel=name)
    return found
