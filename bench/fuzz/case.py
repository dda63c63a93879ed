"""One request of the fuzz, and what is known about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        raw: the bytes that are sent.
        body: the part behind the headers.
        signed: the one secret made the signature, the time is now, and everything else that the door asks for before
            the body's content is right. Nothing else may ever be stored as an event.
        well_formed: it is HTTP, so that the connection must bring an answer.
        head: it is a HEAD request, whose answer has no body.
    """

    raw: bytes
    body: bytes
    signed: bool
    well_formed: bool
    head: bool = False
