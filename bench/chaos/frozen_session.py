"""``python -m bench.chaos.frozen_session ORGANIZATION``: locks ten weddings as the product does, then does nothing.

If the system allows it, its socket is closed without a packet to the other side, as by a machine that loses power
(TCP_REPAIR, tcp(7)); otherwise the session only stays idle.
"""

import contextlib
import os
import socket
import sys
import threading

import django

TCP_REPAIR = 19
"""From <linux/tcp.h>; a socket closed in this mode sends nothing. Needs CAP_NET_ADMIN."""


def main() -> None:
    """Lock, and wait to be killed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync.settings")
    django.setup()
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id /* a session that will be frozen */ FROM weddings_wedding WHERE organization_id = %s"
            " ORDER BY id::text LIMIT 10 FOR NO KEY UPDATE",
            [sys.argv[1]],
        )
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.connection.fileno())) as ours:
            if ours.family != socket.AF_UNIX:
                ours.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1
                )  # or a retransmission would meet a closed port
                ours.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
                os.close(connection.connection.fileno())
        threading.Event().wait()


if __name__ == "__main__":
    main()
