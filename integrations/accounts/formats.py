"""Formats of credentials: each function accepts a value, or says in a sentence without the value what is wrong.

All raise ``ValueError``. They find mistakes that would otherwise only fail at a call, as faults of ours.
"""

import re

from integrations.signatures.standard_webhooks import secret_key

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile(r"[\u00a0\u200b-\u200f\u2060\ufeff]")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_DIGITS = re.compile(r"[0-9]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


def text(value: str) -> None:
    """One line of text."""
    if _CONTROL.search(value):
        raise ValueError("It contains a line break or another control character.")


def token(value: str) -> None:
    """A value for an HTTP header: printable ASCII, as the other side gave it."""
    text(value)
    if value != value.strip() or _INVISIBLE.search(value):
        raise ValueError("It begins or ends with a space, or contains an invisible character.")
    if not value.isascii():
        raise ValueError("It contains a character that is not ASCII.")
    if value.lower().startswith("bearer "):
        raise ValueError("Enter only the token, without “Bearer”.")
    if value[0] in "\"'" and value[-1] == value[0]:
        raise ValueError("Enter it without quotation marks around it.")


def signing_secret(value: str) -> None:
    """A secret of Standard Webhooks."""
    try:
        secret_key(value)
    except ValueError as error:
        reason = f"{error}."
        raise ValueError(reason[:1].upper() + reason[1:]) from error


def port(value: str) -> None:
    """A port number."""
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 0 < int(value) < 65536):
        raise ValueError("It must be a number from 1 to 65535.")


def host(value: str) -> None:
    """A host's name or address, and nothing else."""
    if "/" in value or "@" in value:
        raise ValueError("Enter only the host, such as smtp.lakeside.example, without https:// or a path.")
    if not _HOST.fullmatch(value) or (":" in value and value.count(":") == 1):
        raise ValueError("It must be the name or address of a host, without a port.")


def word(value: str) -> None:
    """An id without spaces."""
    if not _WORD.fullmatch(value):
        raise ValueError("It must be an id of letters, digits, dots, hyphens and underscores.")


def digits(value: str) -> None:
    """A numeric id."""
    if not _DIGITS.fullmatch(value):
        raise ValueError("It must be an id of digits only, without spaces or a plus sign.")
