"""Numbers whose last digits decide the fate of a message. They are the sandbox's own: Meta has none of this kind."""

from __future__ import annotations

import re

from sandbox.services.whatsapp.errors import is_known

AT_ONCE = "1999"
"""No North American area code begins with 99, so no person has such a number."""
_ENDING = re.compile(r"13\d{4}$")


def fails_later(wa_id: str) -> int | None:
    """The code with which a message to `+15550131026` fails after it was accepted: 131026."""
    return None if wa_id.startswith(AT_ONCE) else _code(wa_id)


def refused_at_once(wa_id: str) -> int | None:
    """The code with which the request for `+19990131026` is refused: 131026."""
    return _code(wa_id) if wa_id.startswith(AT_ONCE) else None


def _code(wa_id: str) -> int | None:
    ending = _ENDING.search(wa_id)
    return int(ending[0]) if ending is not None and is_known(int(ending[0])) else None
