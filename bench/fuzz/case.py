"""One request of the fuzz, and its properties."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        raw: the bytes that are sent.
        body: the part after the headers.
        signed: it is signed with the connection's secret, the time is now, and everything else that is checked before
            the body's content is right. Nothing else may ever be stored as an event.
        well_formed: it is HTTP, so the connection must return an answer.
        head: it is a HEAD request, whose answer has no body.
    """

    raw: bytes
    body: bytes
    signed: bool
    well_formed: bool
    head: bool = False
