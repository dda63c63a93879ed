"""One outside call over HTTP: within a deadline, to a checked address, without redirects, with a bounded answer.

``sending`` calls through ``requests``, with ``adapter`` as its transport; below it ``names`` resolves, ``connections``
connects and keeps connections, ``exchange`` sends and reads. docs/adr/0013, 0026, 0027.
"""

from integrations.outbound.guard import check_target, checked_base_url, read_origin
from integrations.outbound.messages import Call, Request, Response
from integrations.outbound.sending import send
from integrations.outbound.statuses import check_status

__all__ = ["Call", "Request", "Response", "check_status", "check_target", "checked_base_url", "read_origin", "send"]
