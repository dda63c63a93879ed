"""The sender of an email. It is added in each attempt; a frozen email contains only its digest (docs/adr/0052).

Credentials may come from the environment, and no row stores such a value. The digest tells whether the bytes would
still be the same: Resend refuses other bytes under a key that it has seen.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr

from integrations.errors import OurFault

DEFAULT = "resend"


@dataclass(frozen=True)
class EmailSender:
    """``mailbox``, ``reply_to``: ``a@b`` or ``Name <a@b>``; ``reply_to`` may be empty. ``provider``: by its slug."""

    mailbox: str
    reply_to: str = ""
    provider: str = DEFAULT

    @classmethod
    def of(cls, credentials: Mapping[str, str]) -> "EmailSender":
        """From a system's credentials.

        Raises:
            OurFault: there is no sender.
        """
        return cls(credentials["from"], credentials.get("reply_to", ""), provider_of(credentials))

    @property
    def digest(self) -> str:
        """Unchanged as long as the same sender uses the same provider."""
        return hashlib.sha256(json.dumps([self.mailbox, self.reply_to, self.provider]).encode()).hexdigest()

    @property
    def address(self) -> str:
        """The bare address.

        Raises:
            OurFault: there is none.
        """
        address = parseaddr(self.mailbox)[1]
        if "@" not in address:
            raise OurFault("the sender in the system's credentials is not an email address")
        return address


def provider_of(credentials: Mapping[str, str]) -> str:
    """The provider's slug."""
    return (credentials.get("provider") or DEFAULT).strip().lower()
