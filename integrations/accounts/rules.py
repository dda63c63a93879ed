"""A credential, a published rate, and the base class with which vendors and channels declare theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from integrations.accounts import formats
from wedsync import named_credentials

ReadCredentials = Callable[[], Mapping[str, str]]
"""Reads a system's credentials in plain text. It costs a decryption, so it is only called if needed."""


@dataclass(frozen=True)
class Credential:
    """One stored value: its name, its label for staff, and where they find it.

    Several kinds may use the same one; they name the same object, since a form has one field for it.
    """

    name: str
    label: str
    about: str
    secret: bool = True
    check_format: Callable[[str], None] = formats.text

    @property
    def field(self) -> str:
        """The field's name in the form."""
        return f"credential_{self.name}"

    def check(self, value: str, organization: str) -> None:
        """Accept a value that may be stored.

        Arguments:
            organization: the slug of the system's organization, which may only use certain variables.

        Raises:
            ValueError: why it must not be stored, in a whole sentence without the value.
        """
        if named_credentials.is_named(value):
            named_credentials.check(value, organization)
        else:
            self.check_format(value)


class Rate(NamedTuple):
    """A provider's published rate: calls per second, and how many may be made together after a pause."""

    per_second: float
    burst: int


class AccountRules:
    """The rules for our account at a kind of system, which is a vendor or a channel to people."""

    credentials: ClassVar[Sequence[Credential]] = ()
    published_rate: ClassVar[Rate | None] = None
    judged_together: ClassVar[Sequence[str]] = ()
    """The credentials that :meth:`check_together` checks; the form shows its error at the first of them."""

    def rate(self, credentials: ReadCredentials) -> Rate | None:
        """The published rate, if any.

        Raises:
            ConfigurationError: it depends on credentials that cannot be decrypted.
        """
        return self.published_rate

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """The credentials without which no call can be made, given the others."""
        return ()

    def check_together(self, values: Mapping[str, str | None]) -> None:
        """Accept credentials that fit each other; values from the environment are not checked.

        Raises:
            ValueError: why they do not fit, as a sentence.
        """


ACCESS_TOKEN = Credential("access_token", "Access token", "From the system's settings.", check_format=formats.token)
SIGNING_SECRET = Credential(
    "signing_secret",
    "Signing secret",
    "whsec_ and base64; signs our requests. Without it nothing is signed; a button makes one.",
    check_format=formats.signing_secret,
)
PREVIOUS_SIGNING_SECRET = Credential(
    "previous_signing_secret",
    "Previous signing secret",
    "Also signs while the other side switches to the new one.",
    check_format=formats.signing_secret,
)
