"""The adapter of one provider's callbacks: how they are signed, and what they contain. No I/O."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from integrations.models import System
from integrations.signatures.base import SignatureScheme
from notifications.feedback.notices import Effect
from webhooks.models import ProviderNotice


class Unreadable(Exception):
    """The signature is valid, but the body is not what the provider documents. The message tells staff why."""


@dataclass(frozen=True)
class Notice:
    """One piece of information from a provider.

    Arguments:
        dedup_id: identifies it when it comes again; see :func:`webhooks.callbacks.reading.dedup_id`.
        name: the provider's own name, at most 64 characters.
        provider_id: the message that it is about, at most 200 characters; empty if there is none.
        data: the provider's own object.
    """

    dedup_id: str
    kind: ProviderNotice.Kind
    name: str
    provider_id: str
    occurred_at: datetime
    data: dict[str, Any]


class Answer(NamedTuple):
    """The answer to a stored callback. The provider may show it to people, or interpret it as commands."""

    body: str
    content_type: str = "text/plain; charset=utf-8"


class Provider(ABC):
    """One provider's adapter. Implement ``read`` and ``effect_of``.

    With a handshake, also implement ``challenge``, and include GET in ``methods``.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    kind: ClassVar[System.Kind]
    signature: ClassVar[SignatureScheme]
    secret: ClassVar[str]
    """What the provider calls the secret that it signs with, for staff."""
    methods: ClassVar[Sequence[str]] = ("POST",)
    answer: ClassVar[Answer] = Answer('{"status":"ok"}', "application/json")
    largest: ClassVar[int] = 3 * 1024 * 1024
    """The most bytes of a body. Meta sends up to 1000 updates together, and up to 3 MB:
    https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    """

    @abstractmethod
    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
        """All notices of a verified request, at least one, in its order.

        Arguments:
            headers: lower-case names to values.
            now: replaces the provider's time if that cannot be read.
            url: as the provider called it, with its query.

        Raises:
            Unreadable: with the reason.
        """

    @abstractmethod
    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """The effect of a stored notice; ``None``: it changes nothing."""

    def challenge(self, query: Mapping[str, Sequence[str]], tokens: Sequence[str]) -> str | None:
        """The text that answers a handshake; ``None``: it is refused.

        Arguments:
            query: the parameters of the URL.
            tokens: the live verify tokens.
        """
        return None

    def check_secret(self, text: str) -> None:
        """Accept a secret that the provider could have made.

        Raises:
            ValueError: it could never verify a signature; says why in a whole sentence without the secret.
        """
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("It contains a space or a character that no such secret has. Copy it again.")
        try:
            self.signature.check_secret(text)
        except ValueError as error:
            raise ValueError(f"Copy it again: {error}.") from error
