"""A credential, a published rate, and the class on which a vendor or a channel names its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from integrations.accounts import forms
from wedsync import named_credentials

ReadCredentials = Callable[[], Mapping[str, str]]
"""Reads a system's credentials in clear. It costs a decryption, so only what depends on them calls it."""


@dataclass(frozen=True)
class Credential:
    """One stored value: its name, what staff call it and where they find it.

    Several kinds may take the same one; they name the same object, since a form has one field for it.
    """

    name: str
    label: str
    about: str
    secret: bool = True
    form: Callable[[str], None] = forms.text

    @property
    def field(self) -> str:
        """Its name in the form."""
        return f"credential_{self.name}"

    def check(self, value: str, organization: str) -> None:
        """Pass what may be stored.

        Arguments:
            organization: the slug of the system's organization, which may take some variables and no others.

        Raises:
            ValueError: why not, as a whole sentence; it does not hold the value.
        """
        if named_credentials.is_named(value):
            named_credentials.check(value, organization)
        else:
            self.form(value)


class Rate(NamedTuple):
    """What a provider publishes: calls per second, and how many may go at once after a rest."""

    per_second: float
    burst: int


class AccountRules:
    """What a kind of system says of our account there. A vendor and a channel to people are such kinds."""

    credentials: ClassVar[Sequence[Credential]] = ()
    published_rate: ClassVar[Rate | None] = None
    judged_together: ClassVar[Sequence[str]] = ()
    """Names of credentials that :meth:`check_together` judges; the form shows what it says at the first of them."""

    def rate(self, credentials: ReadCredentials) -> Rate | None:
        """What is published; ``None``: nothing is.

        Raises:
            ConfigurationError: it depends on credentials, and they cannot be read.
        """
        return self.published_rate

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """The credentials without which no call can be made, given the others."""
        return ()

    def check_together(self, values: Mapping[str, str | None]) -> None:
        """Pass credentials that fit each other; what comes from the environment passes.

        Raises:
            ValueError: why they do not, as a sentence.
        """


ACCESS_TOKEN = Credential("access_token", "Access token", "From the system's settings.", form=forms.token)
SIGNING_SECRET = Credential(
    "signing_secret",
    "Signing secret",
    "whsec_ and base64; signs what we send. Without one nothing is signed; a button makes one.",
    form=forms.signing_secret,
)
PREVIOUS_SIGNING_SECRET = Credential(
    "previous_signing_secret",
    "Previous signing secret",
    "Signs along while the other side changes over.",
    form=forms.signing_secret,
)
