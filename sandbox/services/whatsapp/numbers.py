"""Which ``wa_id`` belongs to a number: in some countries WhatsApp's form of it is not the one that people dial."""

from __future__ import annotations

import hashlib
import re

_FORMS = (
    (re.compile(r"55([0-9]{2})9([0-9]{8})"), r"55\1\2"),  # Brazil: accounts from before the ninth digit
    (re.compile(r"52([0-9]{10})"), r"521\1"),  # Mexico: still with the 1 for mobile phones
    (re.compile(r"54([0-9]{10})"), r"549\1"),  # Argentina: with the 9 for mobile phones
)


def wa_id_of(number: str) -> str:
    """The ``wa_id`` of a number, both as digits."""
    for form, known_as in _FORMS:
        if form.fullmatch(number):
            return form.sub(known_as, number)
    return number


def user_id_of(wa_id: str) -> str:
    """The id by which Meta identifies a person to one business, whatever their user name."""
    return f"US.{int(hashlib.sha256(wa_id.encode()).hexdigest()[:14], 16)}"
