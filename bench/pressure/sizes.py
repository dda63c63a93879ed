"""How large and how long a run is."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sizes:
    """Counts of sockets and connections, and seconds.

    Arguments:
        unread: sockets that never read; ``healthy``: those beside them.
        window: seconds over which the waits of events are measured, with and without the unread sockets.
        rest: seconds after which the memory must be back.
        turnover: sockets that come and go; the memory is read after each ``step`` of them, ``limit``: seconds at most.
        followers: beside the odd inputs.
        odd_window: seconds for each odd input, at least.
        share: how many of the connections of each odd input are made.
        moving: clients that move at a deploy.
        settle: seconds of webhooks after it, in which all come back: none is asked for a longer pause.
        variables: of the web processes, in place of the usual ones.
    """

    unread: int = 1000
    healthy: int = 50
    window: float = 20.0
    rest: float = 60.0
    turnover: int = 20_000
    step: int = 2_000
    limit: float = 300.0
    followers: int = 200
    odd_window: float = 6.0
    share: float = 1.0
    moving: int = 1000
    settle: float = 15.0
    variables: Mapping[str, str] = field(
        default_factory=lambda: {"WEDSYNC_DRAIN_SECONDS": "10", "WEDSYNC_IDLE_SOCKET_SECONDS": "15"}
    )


FULL = Sizes()
SMALL = Sizes(
    unread=5, healthy=3, window=1.5, rest=0.5, turnover=60, step=10, followers=3, odd_window=0.6, share=0.01,
    moving=6, settle=1.0,
    variables={
        "WEDSYNC_DRAIN_SECONDS": "1", "WEDSYNC_IDLE_SOCKET_SECONDS": "2", "WEDSYNC_REQUEST_SECONDS": "2",
        "WEDSYNC_SLOW_READER_SECONDS": "2",
    },
)  # fmt: skip
"""Shows in seconds that everything works."""
