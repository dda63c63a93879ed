"""What an adapter says of one provider's callbacks: who signs them and how, and what stands in them. No I/O."""

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
    """The signature is right, and the body is not what the provider documents. The text says why, for staff."""


@dataclass(frozen=True)
class Notice:
    """One thing that a provider told us.

    Arguments:
        dedup_id: what makes it the same thing when it comes again; see :func:`webhooks.callbacks.reading.dedup_id`.
        name: in the provider's words, at most 64 characters.
        provider_id: the message that it is about, at most 200 characters; empty where there is none.
        data: the provider's own object.
    """

    dedup_id: str
    kind: ProviderNotice.Kind
    name: str
    provider_id: str
    occurred_at: datetime
    data: dict[str, Any]


class Answer(NamedTuple):
    """What a provider is answered once its callback is stored. It may show it to people, or read it as orders."""

    body: str
    content_type: str = "text/plain; charset=utf-8"


class Provider(ABC):
    """One provider's adapter. Implement ``read`` and ``effect_of``.

    With a handshake also ``challenge``, and let ``methods`` hold GET.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    kind: ClassVar[System.Kind]
    signature: ClassVar[SignatureScheme]
    methods: ClassVar[Sequence[str]] = ("POST",)
    answer: ClassVar[Answer] = Answer('{"status":"ok"}', "application/json")
    largest: ClassVar[int] = 3 * 1024 * 1024
    """Bytes of a body. Meta sends up to 1000 updates at once, and up to 3 MB:
    https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    """

    @abstractmethod
    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
        """Everything that a verified request tells, at least one thing, in its order.

        Arguments:
            headers: lower-case names to values.
            now: stands for the provider's time where that cannot be read.
            url: as the provider called it, with its query.

        Raises:
            Unreadable: with the reason.
        """

    @abstractmethod
    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """What a stored notice says in our own words; ``None``: nothing that changes anything."""

    def challenge(self, query: Mapping[str, Sequence[str]], tokens: Sequence[str]) -> str | None:
        """The text that answers a handshake; ``None`` where it is refused.

        Arguments:
            query: the parameters of the URL.
            tokens: the live ones that the provider may name.
        """
        return None

    def check_secret(self, text: str) -> None:
        """Pass what the provider could have made.

        Raises:
            ValueError: it could never verify a signature; why, as a whole sentence that does not hold the secret.
        """
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("It holds a space or a letter that no such secret has. Copy it again.")
        try:
            self.signature.check_secret(text)
        except ValueError as error:
            raise ValueError(f"Copy it again: {error}.") from error
